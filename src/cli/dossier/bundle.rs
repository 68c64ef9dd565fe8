//! The dossier's directory: rendered in memory, written beside its place, and put there whole or not
//! at all.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::evidence::hex;
use crate::report::dossier::{Case, Deadline, Facts, Fullness, Kind, compose, deadlines, police};
use crate::report::pdf::{FontFiles, pdf, sheets};
use crate::report::{Lang, Page, html};

/// The list of contents, as `sha256sum -c` reads it.
const MANIFEST: &str = "SHA256SUMS";

/// The files, in the order in which they are listed.
pub(super) struct Bundle {
    files: Vec<(String, Vec<u8>)>,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    case: &'a Case,
    deadlines: [Deadline; 5],
    facts: &'a Facts,
}

impl Bundle {
    /// Every document in these languages and formats, `dossier.json`, and the list of contents.
    ///
    /// # Errors
    /// A document cannot be rendered.
    pub(super) fn render(
        case: &Case,
        facts: &Facts,
        langs: &[Lang],
        as_html: bool,
        font: Option<&FontFiles>,
    ) -> anyhow::Result<Bundle> {
        let document = Document {
            case,
            deadlines: deadlines(case.known_at, case.made_at),
            facts,
        };
        let mut json = serde_json::to_vec_pretty(&document)?;
        json.push(b'\n');
        let mut files = vec![("dossier.json".to_owned(), json)];
        for lang in langs {
            for kind in Kind::ALL {
                let page = match (kind, font) {
                    (Kind::Police, Some(font)) => two_pages(case, facts, *lang, font)?,
                    _ => compose(kind, case, facts, *lang),
                };
                let name = format!("{}/{}", lang.tag(), kind.name());
                if as_html {
                    files.push((format!("{name}.html"), html(&page).into_bytes()));
                }
                if let Some(font) = font {
                    files.push((format!("{name}.pdf"), pdf(&page, font, case.made_at)?));
                }
            }
        }
        let lines = files
            .iter()
            .map(|(name, bytes)| format!("{}  {name}\n", hex(&Sha256::digest(bytes))));
        let manifest = lines.collect::<String>().into_bytes();
        files.push((MANIFEST.to_owned(), manifest));
        Ok(Bundle { files })
    }

    /// The files' names.
    pub(super) fn names(&self) -> Vec<String> {
        self.files.iter().map(|(name, _)| name.clone()).collect()
    }

    /// SHA-256 of the list of contents.
    pub(super) fn manifest_sha256(&self) -> String {
        let manifest = self.files.iter().find(|(name, _)| name == MANIFEST);
        hex(&Sha256::digest(
            manifest.map_or(&[][..], |(_, bytes)| bytes),
        ))
    }

    /// Writes everything into a directory beside `out` that only its owner reads.
    ///
    /// # Errors
    /// Something cannot be written; then nothing is left.
    pub(super) fn stage(&self, out: &Path) -> anyhow::Result<Staged> {
        let parent = match out.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".otori-dossier-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let dir = builder
            .tempdir_in(parent)
            .with_context(|| format!("{}: no directory can be made in it", parent.display()))?;
        for (name, bytes) in &self.files {
            let path = dir.path().join(name);
            write(&path, bytes).with_context(|| format!("{}: {name}", out.display()))?;
        }
        Ok(Staged {
            dir,
            out: out.to_owned(),
        })
    }
}

/// The summary for the police, as full as two pages allow.
fn two_pages(case: &Case, facts: &Facts, lang: Lang, font: &FontFiles) -> anyhow::Result<Page> {
    for full in Fullness::ALL {
        let page = police(case, facts, lang, full);
        if sheets(&page, font)? <= 2 {
            return Ok(page);
        }
    }
    anyhow::bail!(
        "the summary for the police does not fit two pages in this font: name another with --font FILE"
    )
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let mut file = std::fs::File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A dossier that is written and not yet in its place; dropped, it is gone.
pub(super) struct Staged {
    dir: TempDir,
    out: PathBuf,
}

impl Staged {
    /// Puts it into its place.
    ///
    /// # Errors
    /// Something has come to stand there in the meantime, or the system refuses.
    pub(super) fn publish(self) -> anyhow::Result<()> {
        let place = || self.out.display().to_string();
        std::fs::rename(self.dir.path(), &self.out).with_context(place)?;
        // It is where it belongs; there is nothing left to clean up.
        let _ = self.dir.keep();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(names: &[&str]) -> Bundle {
        let file = |name: &&str| ((*name).to_owned(), b"x".to_vec());
        Bundle {
            files: names.iter().map(file).collect(),
        }
    }

    fn left(dir: &Path) -> usize {
        std::fs::read_dir(dir).map_or(0, Iterator::count)
    }

    #[test]
    fn a_write_that_fails_midway_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let out = home.path().join("out");
        // The second file's directory is the first file.
        let failed = bundle(&["a", "a/b"]).stage(&out);
        assert!(failed.is_err());
        assert_eq!(left(home.path()), 0);
    }

    #[test]
    fn what_comes_to_stand_there_in_the_meantime_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let out = home.path().join("out");
        let staged = bundle(&["en/a"]).stage(&out).unwrap();
        std::fs::create_dir(&out).unwrap();
        std::fs::write(out.join("theirs"), "x").unwrap();
        assert!(staged.publish().is_err());
        assert_eq!(left(home.path()), 1);
        assert_eq!(left(&out), 1);
    }

    #[test]
    fn what_is_published_is_whole() {
        let home = tempfile::tempdir().unwrap();
        let out = home.path().join("out");
        bundle(&["en/a", "b"])
            .stage(&out)
            .unwrap()
            .publish()
            .unwrap();
        assert_eq!(left(home.path()), 1);
        assert!(out.join("en/a").exists() && out.join("b").exists());
    }
}
