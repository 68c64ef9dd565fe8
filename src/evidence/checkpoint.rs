//! Checkpoints: the log's size and root hash, signed. The format is C2SP's tlog-checkpoint
//! (c2sp.org/tlog-checkpoint): origin, size and root on a line each, as a signed note.

use super::merkle::Hash;
use super::note::{InvalidNote, Signer, Verifier};

/// A log's size and root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: the name of its key.
    pub origin: String,
    /// Entries in it.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// Why a text is no checkpoint of ours.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCheckpoint {
    /// The note does not hold.
    #[error(transparent)]
    Note(#[from] InvalidNote),
    /// What is signed is no checkpoint.
    #[error("what is signed is no checkpoint: it needs an origin, a size and a root hash")]
    Malformed,
    /// It is another log's.
    #[error("it is a checkpoint of another log, {0}")]
    Foreign(String),
}

impl Checkpoint {
    /// As a signed note.
    pub fn sign(&self, signer: &Signer) -> String {
        signer.sign(&format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            String::from(self.root)
        ))
    }

    /// Checks and reads a signed one.
    ///
    /// # Errors
    /// See [`InvalidCheckpoint`].
    pub fn open(note: &str, verifier: &Verifier) -> Result<Checkpoint, InvalidCheckpoint> {
        let note = verifier.open(note)?;
        let mut lines = note.text.lines();
        let mut next = || lines.next().ok_or(InvalidCheckpoint::Malformed);
        let (origin, size, root) = (next()?, next()?, next()?);
        let canonical = size == "0" || !size.starts_with(['0', '+']);
        let checkpoint = Checkpoint {
            origin: origin.to_owned(),
            size: size
                .parse()
                .ok()
                .filter(|_| canonical)
                .ok_or(InvalidCheckpoint::Malformed)?,
            root: root
                .to_owned()
                .try_into()
                .map_err(|_| InvalidCheckpoint::Malformed)?,
        };
        match checkpoint.origin == verifier.name() {
            true => Ok(checkpoint),
            false => Err(InvalidCheckpoint::Foreign(checkpoint.origin)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_three_lines_and_a_signature() {
        let signer = Signer::new("log.otori.example", [1; 32]).unwrap();
        let checkpoint = Checkpoint {
            origin: "log.otori.example".to_owned(),
            size: 12,
            root: Hash([3; 32]),
        };
        let note = checkpoint.sign(&signer);
        let lines: Vec<&str> = note.lines().collect();
        assert_eq!(&lines[..2], ["log.otori.example", "12"]);
        assert_eq!(lines[3], "");
        assert!(lines[4].starts_with("— log.otori.example "));
        assert_eq!(
            Checkpoint::open(&note, &signer.verifier()).unwrap(),
            checkpoint
        );
        let odd = signer.sign("log.otori.example\n012\nAAAA\n");
        assert!(matches!(
            Checkpoint::open(&odd, &signer.verifier()),
            Err(InvalidCheckpoint::Malformed)
        ));
        let foreign = Checkpoint {
            origin: "another".to_owned(),
            ..checkpoint
        }
        .sign(&signer);
        assert!(matches!(
            Checkpoint::open(&foreign, &signer.verifier()),
            Err(InvalidCheckpoint::Foreign(_))
        ));
    }
}
