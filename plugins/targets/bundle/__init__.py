"""The `bundle` target: a student and its proof in one folder."""
