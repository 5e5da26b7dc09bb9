"""What tests need: a server that speaks the APIs of teachers."""
