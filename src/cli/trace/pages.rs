//! Memory in huge pages. An index of canaries is met at random places; in pages of 4 KiB the processor looks up where each
//! lies for longer than the memory itself takes, on a virtual machine several times as long.
//!
//! Linux gives huge pages to who asks, and glibc's allocator asks if it is told to before the program begins.

/// Begins the program anew with the allocator told so. Comes back where that is done already, cannot be done, or means
/// nothing.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn ask_for_huge() {
    use std::os::unix::process::CommandExt;

    let Some(tunables) = tunables(std::env::var_os(NAME)) else {
        return;
    };
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    let mut words = std::env::args_os();
    let mut anew = std::process::Command::new(program);
    if let Some(name) = words.next() {
        anew.arg0(name);
    }
    // It comes back only if there is no such program any more: then this one goes on as it is.
    let _ = anew.args(words).env(NAME, tunables).exec();
}

/// Other allocators are not told.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn ask_for_huge() {}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
const NAME: &str = "GLIBC_TUNABLES";

/// What glibc is told beside what it is told already; `None` where that says of huge pages what the operator wants.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn tunables(known: Option<std::ffi::OsString>) -> Option<std::ffi::OsString> {
    const HUGE: &str = "glibc.malloc.hugetlb";
    let mut all = known.unwrap_or_default();
    if all.to_string_lossy().contains(HUGE) {
        return None;
    }
    if !all.is_empty() {
        all.push(":");
    }
    all.push(HUGE);
    all.push("=1");
    Some(all)
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn the_wish_stands_beside_others_and_is_not_repeated() {
        let told = |known: &str| tunables(Some(known.into()));
        assert_eq!(tunables(None), Some("glibc.malloc.hugetlb=1".into()));
        let both = "glibc.malloc.check=3:glibc.malloc.hugetlb=1";
        assert_eq!(told("glibc.malloc.check=3"), Some(both.into()));
        assert_eq!(told(both), None);
        assert_eq!(told("glibc.malloc.hugetlb=0"), None, "the operator's word");
    }
}
