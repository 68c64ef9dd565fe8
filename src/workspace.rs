//! A workspace: a directory with `otori.toml`, the registry and the keys.
