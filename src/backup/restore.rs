//! Bringing a workspace back.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use time::OffsetDateTime;

use super::archive::{Contents, Frame, take};
use super::files::inside;
use super::sealed::Opener;
use super::{Error, at, sha256};
use crate::evidence::Act;
use crate::registry::{Registry, check_dump};
use crate::workspace::{self, CONFIG_FILE, Workspace};

/// The largest file that is taken for one of a workspace's.
const LARGEST: u64 = 256 << 20;

/// A workspace that was brought back.
#[derive(Debug)]
pub struct Restored {
    /// What the backup said of itself.
    pub contents: Contents,
    /// Rows of the registry.
    pub rows: u64,
}

/// Brings a workspace back into a directory that is empty or not there; its registry where it was, or
/// at `registry`, which must be empty.
///
/// # Errors
/// See [`Error`]: the backup is checked to its end before anything is written, and the directory
/// appears only when everything is in it.
pub async fn restore(
    backup: &Path,
    dir: &Path,
    registry: Option<&str>,
    passphrase: &str,
) -> Result<Restored, Error> {
    if dir.join(CONFIG_FILE).exists() {
        return Err(Error::Workspace(dir.to_owned()));
    }
    let occupied = |dir: &Path| std::fs::read_dir(dir).is_ok_and(|mut all| all.next().is_some());
    if occupied(dir) || dir.exists() && !dir.is_dir() {
        return Err(Error::NotEmpty(dir.to_owned()));
    }
    let mut first = Opener::open(backup, passphrase)?;
    if let Err(error) = check(&mut first) {
        return Err(first.wrong(error));
    }

    let parent = match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(parent).map_err(at(parent))?;
    let making = tempfile::Builder::new()
        .prefix(".otori-restore-")
        .tempdir_in(parent)
        .map_err(at(parent))?;
    let mut second = Opener::open(backup, passphrase)?;
    let restored = match write(&mut second, making.path(), registry).await {
        Ok(restored) => restored,
        Err(error) => return Err(second.wrong(error)),
    };
    if restored.contents.with_keys {
        let workspace = Workspace::find(Some(making.path()))?;
        let registry = workspace.registry().await?;
        let sha256 = sha256(backup).map_err(at(backup))?;
        let act = Act::Restored { sha256 };
        registry.record(act, OffsetDateTime::now_utc()).await?;
        registry.close().await;
    }
    std::fs::rename(making.path(), dir).map_err(at(dir))?;
    // It is the workspace now, and nothing to be removed.
    let _ = making.keep();
    Ok(restored)
}

/// Reads the whole backup without writing anything.
fn check(input: &mut Opener) -> Result<(), Error> {
    let contents = contents(input)?;
    for _ in 0..contents.files {
        file(input)?;
    }
    registry_follows(input)?;
    let rows = check_dump(input)?;
    end(input, rows)
}

async fn write(input: &mut Opener, dir: &Path, registry: Option<&str>) -> Result<Restored, Error> {
    let contents = contents(input)?;
    let mut url = None;
    for _ in 0..contents.files {
        let (path, mut content) = file(input)?;
        if path == Path::new(CONFIG_FILE) {
            let text = String::from_utf8(content)
                .map_err(|_| Error::Content(format!("{CONFIG_FILE} is not text")))?;
            let (text, at) = with_registry(text, registry)?;
            url = Some(at);
            content = text.into_bytes();
        }
        let whole = dir.join(&path);
        if let Some(folder) = whole.parent() {
            private_dirs(folder)?;
        }
        workspace::write_private(&whole, &content)?;
    }
    let url = url.ok_or_else(|| Error::Content(format!("it has no {CONFIG_FILE}")))?;
    registry_follows(input)?;
    let rows = Registry::load(&url, dir, &contents.migrations, input).await?;
    end(input, rows)?;
    Ok(Restored { contents, rows })
}

fn contents(input: &mut Opener) -> Result<Contents, Error> {
    match take(input)? {
        Frame::Contents(contents) => Ok(contents),
        _ => Err(Error::Content(
            "it does not begin with its contents".to_owned(),
        )),
    }
}

fn file(input: &mut Opener) -> Result<(PathBuf, Vec<u8>), Error> {
    let Frame::File { path, bytes } = take(input)? else {
        return Err(Error::Content("a file is missing".to_owned()));
    };
    let path = PathBuf::from(path);
    if !inside(&path) || bytes > LARGEST {
        return Err(Error::Content(format!(
            "{} is no file of a workspace",
            path.display()
        )));
    }
    let mut content = vec![0; bytes as usize];
    let unread = |error: std::io::Error| Error::Content(error.to_string());
    input.read_exact(&mut content).map_err(unread)?;
    Ok((path, content))
}

fn registry_follows(input: &mut Opener) -> Result<(), Error> {
    match take(input)? {
        Frame::Registry => Ok(()),
        _ => Err(Error::Content("the registry is missing".to_owned())),
    }
}

fn end(input: &mut Opener, rows: u64) -> Result<(), Error> {
    match take(input)? {
        Frame::End { rows: said } if said == rows => {}
        _ => return Err(Error::Content("rows are missing".to_owned())),
    }
    match input.read(&mut [0]) {
        Ok(0) => Ok(()),
        _ => Err(Error::Content("something follows its end".to_owned())),
    }
}

/// Directories that only their owner may enter.
fn private_dirs(dir: &Path) -> Result<(), Error> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(at(dir))
}

#[derive(Deserialize)]
struct Document {
    registry: Option<Section>,
}

#[derive(Deserialize)]
struct Section {
    url: toml::Spanned<String>,
}

/// The configuration with its registry at another place, if there is one; and where it is.
fn with_registry(mut text: String, registry: Option<&str>) -> Result<(String, String), Error> {
    let unread =
        |error: toml::de::Error| Error::Content(format!("{CONFIG_FILE}: {}", error.message()));
    let document: Document = toml::from_str(&text).map_err(unread)?;
    let said = document.registry.map(|section| section.url);
    let Some(new) = registry else {
        let url = said.map_or("sqlite:registry.db".to_owned(), toml::Spanned::into_inner);
        return Ok((text, url));
    };
    let value = toml::Value::from(new).to_string();
    match said {
        Some(url) => text.replace_range(url.span(), &value),
        None => text.push_str(&format!("\n[registry]\nurl = {value}\n")),
    }
    Ok((text, new.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_registry_is_put_elsewhere() {
        let text = "# ours\n[registry]\nurl = \"postgres://a:b@h/d\" # here\n[alert]\n";
        let (new, url) = with_registry(text.to_owned(), Some("sqlite:r.db")).unwrap();
        assert_eq!(url, "sqlite:r.db");
        assert_eq!(new, text.replace("postgres://a:b@h/d", "sqlite:r.db"));
        let (same, url) = with_registry(text.to_owned(), None).unwrap();
        assert_eq!((same.as_str(), url.as_str()), (text, "postgres://a:b@h/d"));
    }
}
