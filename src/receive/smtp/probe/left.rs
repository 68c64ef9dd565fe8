//! What is left in the journal of a receiver that was killed. It stays in its file, which is locked, and is marked
//! there as done with when it is stored: it is never in memory as a whole, and a second kill loses nothing.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::Check;
use super::journal::{WRITING, is_at};
use crate::registry::Registry;

/// A longer line is none of ours: names and addresses in a command are shorter than one.
const LINE: u64 = 64 << 10;
/// What a journal is renamed to that is of no use now, and may be one day.
const ASIDE: &str = "unread";

/// Where in the file a line's text is.
type Span = (u64, usize);

/// A journal that was taken over.
pub(in crate::receive::smtp) struct Left {
    registry: Registry,
    path: PathBuf,
    /// Locked, and closed behind its removal.
    file: File,
    open: BTreeMap<u64, Span>,
    unread: usize,
}

/// Takes over a journal that nobody has locked.
///
/// # Errors
/// It cannot be read.
pub(super) fn take_over(path: &Path, registry: &Registry) -> io::Result<Option<Left>> {
    let file = match OpenOptions::new().read(true).append(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    // Somebody may have put another in its place, or taken it over, in between.
    if file.try_lock().is_err() || !is_at(&file, path) {
        return Ok(None);
    }
    let lines = open_lines(BufReader::new(&file))?;
    // What was cut off must not be glued to the next line.
    if file.metadata()?.len() != lines.whole {
        file.set_len(lines.whole)?;
    }
    let left = Left {
        registry: registry.clone(),
        path: path.to_owned(),
        file,
        open: lines.open,
        unread: lines.strange,
    };
    if !left.open.is_empty() {
        return Ok(Some(left));
    }
    left.finish();
    Ok(None)
}

impl Left {
    /// How many checks are left.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Some of them, at most so many, with their numbers. They are left until they are [done](Left::done) with.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn some(&mut self, most: usize) -> io::Result<Vec<(u64, Check)>> {
        let mut checks = Vec::new();
        let mut unread = Vec::new();
        for (number, (at, length)) in &self.open {
            if checks.len() == most {
                break;
            }
            let mut sealed = vec![0; *length];
            self.file.read_exact_at(&mut sealed, *at)?;
            match opened(&self.registry, &sealed) {
                Some(check) => checks.push((*number, check)),
                None => unread.push(*number),
            }
        }
        self.unread += unread.len();
        for number in unread {
            self.open.remove(&number);
        }
        Ok(checks)
    }

    /// These are stored, or need not be.
    ///
    /// # Errors
    /// The file cannot be written; then they may be stored again at the next start, and are recognised.
    pub(super) fn done(&mut self, numbers: &[u64]) -> io::Result<()> {
        let mut lines = String::new();
        for number in numbers {
            if self.open.remove(number).is_some() {
                lines += &format!("-{number}\n");
            }
        }
        self.file.write_all(lines.as_bytes())
    }

    /// Nothing is left: the file goes, or is kept aside if there is something in it that could not be read.
    pub(super) fn finish(self) {
        let removed = match self.unread {
            0 => std::fs::remove_file(&self.path),
            unread => {
                let aside = self.path.with_extension(ASIDE);
                tracing::error!(
                    unread,
                    kept = %aside.display(),
                    "recipient checks that a receiver had kept cannot be read: they are damaged, or the registry had another key. With that key again, give the file its ending 'journal' back and start the receiver"
                );
                std::fs::rename(&self.path, aside)
            }
        };
        if let Err(error) = removed {
            tracing::error!(%error, file = %self.path.display(), "a journal of recipient checks that is done with cannot be removed");
        }
        // What its receiver was writing when it was killed.
        let _ = std::fs::remove_file(self.path.with_extension(WRITING));
    }
}

/// What a journal says.
#[derive(Default)]
struct Lines {
    /// What was asked for and is not done with.
    open: BTreeMap<u64, Span>,
    /// How many lines are none of ours.
    strange: usize,
    /// Where the last line ends that was not cut off.
    whole: u64,
}

fn open_lines(mut file: impl BufRead) -> io::Result<Lines> {
    let mut lines = Lines::default();
    let (mut line, mut at) = (Vec::new(), 0);
    loop {
        line.clear();
        let length = (&mut file).take(LINE).read_until(b'\n', &mut line)? as u64;
        if length == 0 {
            break;
        }
        let begins = at;
        at += length;
        if line.pop_if(|last| *last == b'\n').is_none() {
            if length == LINE {
                lines.strange += 1;
                at += file.skip_until(b'\n')? as u64;
                lines.whole = at;
            }
            continue;
        }
        lines.whole = at;
        let text = std::str::from_utf8(&line).ok();
        let asked = text.and_then(|text| text.strip_prefix('+'));
        let asked = asked.and_then(|text| text.split_once(' '));
        let done = text.and_then(|text| text.strip_prefix('-'));
        if let Some((Ok(number), sealed)) = asked.map(|(number, rest)| (number.parse(), rest)) {
            let text = begins + (line.len() - sealed.len()) as u64;
            lines.open.insert(number, (text, sealed.len()));
        } else if let Some(Ok(number)) = done.map(str::parse) {
            lines.open.remove(&number);
        } else if !line.is_empty() {
            lines.strange += 1;
        }
    }
    Ok(lines)
}

fn opened(registry: &Registry, sealed: &[u8]) -> Option<Check> {
    let sealed = STANDARD_NO_PAD.decode(sealed).ok()?;
    let text = registry.open_probe(&sealed).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::journal::Journal;
    use super::super::tests::{check, registry};
    use super::*;

    /// The texts of the lines that are open, and how many are strange.
    fn read(text: &str) -> (Vec<&str>, usize) {
        let lines = open_lines(text.as_bytes()).unwrap();
        let cut = text.rsplit('\n').next().map_or(0, str::len);
        assert_eq!(lines.whole as usize, text.len() - cut);
        let spans = lines.open.into_values();
        let spans = spans.map(|(at, length)| &text[at as usize..][..length]);
        (spans.collect(), lines.strange)
    }

    #[test]
    fn what_is_done_with_is_open_no_more() {
        assert_eq!(
            read("+1 a\n+2 b\n-1\n+3 c\n-9\n+4 cut"),
            (vec!["b", "c"], 0)
        );
        assert_eq!(read(""), (vec![], 0));
        assert_eq!(read("+x a\n-\n+ \n\0\n\n+1 a\n"), (vec!["a"], 4));
        let long = format!("+1 a\n+2 {}\n+3 b\n", "x".repeat(LINE as usize));
        assert_eq!(read(&long), (vec!["a", "b"], 1));
    }

    fn names(home: &Path) -> Vec<String> {
        let all = std::fs::read_dir(home.join("probes")).unwrap();
        let names = all.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn a_journal_of_any_size_is_taken_over_and_marked() {
        let home = tempfile::tempdir().unwrap();
        let registry = registry(home.path()).await;
        let (killed, _) = Journal::open(home.path(), registry.clone()).unwrap();
        for who in ["a", "b", "c"] {
            killed.asked(&check(who));
        }
        killed.done([2]);
        let path = home.path().join("probes").join(&names(home.path())[0]);
        let text = std::fs::read(&path).unwrap();
        drop(killed);
        // As much that is done with as was refused once, and a line cut off.
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        let nothing = format!("-{:0>60000}\n", 9).repeat(100);
        while file.metadata().unwrap().len() <= 256 << 20 {
            file.write_all(nothing.as_bytes()).unwrap();
        }
        file.write_all(&text[..9]).unwrap();
        drop(file);

        let recipients = |left: &mut Left| {
            let some = left.some(9).unwrap().into_iter();
            some.map(|(number, check)| (number, check.recipient))
                .collect::<Vec<_>>()
        };
        let (journal, mut left) = Journal::open(home.path(), registry.clone()).unwrap();
        assert_eq!(
            recipients(&mut left[0]),
            [(1, "a".to_owned()), (3, "c".to_owned())]
        );
        assert_eq!(left[0].some(1).unwrap().len(), 1);
        left[0].done(&[1]).unwrap();
        drop((journal, left));
        // Killed again.
        let (journal, mut left) = Journal::open(home.path(), registry).unwrap();
        assert_eq!(recipients(&mut left[0]), [(3, "c".to_owned())]);
        left[0].done(&[3]).unwrap();
        left.remove(0).finish();
        drop(journal);
        assert_eq!(names(home.path()), Vec::<String>::new());
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_kept_aside() {
        let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (killed, _) = Journal::open(home.path(), registry(other.path()).await).unwrap();
        killed.asked(&check("a"));
        drop(killed);
        let kept = names(home.path());
        let text = std::fs::read(home.path().join("probes").join(&kept[0])).unwrap();

        let (journal, mut left) = Journal::open(home.path(), registry(home.path()).await).unwrap();
        assert!(left[0].some(9).unwrap().is_empty());
        assert_eq!(left[0].len(), 0);
        left.remove(0).finish();
        drop(journal);
        let aside = kept[0].replace(".journal", ".unread");
        assert_eq!(names(home.path()), std::slice::from_ref(&aside));
        let now = std::fs::read(home.path().join("probes").join(aside)).unwrap();
        assert!(now.starts_with(&text));
    }

    proptest! {
        #[test]
        fn any_file_is_read(text in "[-+0-9a \n]{0,60}") {
            read(&text);
        }
    }
}
