"""Configuration: from a TOML file to the settings that each part obeys."""
