"""What a plugin author imports. Every name here is stable within an `api_version`."""
