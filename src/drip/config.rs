//! The `[drip]` section of `otori.toml`.

use serde::{Deserialize, Serialize};

/// Who plants the canaries of a drip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DripConfig {
    /// Whether `otori serve` does. Where it must not reach customer databases, `otori drip --run` does,
    /// from a host that may.
    pub by_serve: bool,
}

impl Default for DripConfig {
    fn default() -> DripConfig {
        DripConfig { by_serve: true }
    }
}
