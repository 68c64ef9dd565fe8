//! How far folders of mailboxes elsewhere have been read, so that each mail in them is looked at once.

use super::store::Row;
use super::witness::Table;
use super::{Registry, Result};
use crate::evidence::{Act, hex};

/// How far a folder has been read: the last number that was looked at, under the folder's numbering at that
/// time (RFC 9051, section 2.3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FolderRead {
    /// UIDVALIDITY: as long as it is the same, numbers mean the same mails.
    pub uid_validity: u32,
    /// The last UID.
    pub uid: u32,
}

/// A folder, as the registry knows it: none of host, user and folder can be read from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderPlace(String);

impl Registry {
    /// The place of a folder of a user at a host.
    pub fn folder_place(&self, host: &str, user: &str, folder: &str) -> FolderPlace {
        // None of the three can hold a line's end.
        let whole = [host, user, folder].join("\n");
        FolderPlace(hex(&self.vault.lasting_tag("imap folder", &whole)))
    }

    /// How far it has been read; nothing if it never was.
    ///
    /// # Errors
    /// The store fails.
    pub async fn folder_read(&self, place: &FolderPlace) -> Result<Option<FolderRead>> {
        let sql = "select uid_validity, uid from folder where place = $1";
        let rows = self.store.fetch(sql, vec![place.0.clone().into()]).await?;
        let number = |row: &Row, at| row.int(at).map(|it| u32::try_from(it).unwrap_or_default());
        let read = |row: &Row| {
            Ok(FolderRead {
                uid_validity: number(row, 0)?,
                uid: number(row, 1)?,
            })
        };
        rows.first().map(read).transpose()
    }

    /// It has been read so far: what was in it is stored.
    ///
    /// # Errors
    /// The store fails.
    pub async fn read_folder(&self, place: &FolderPlace, read: FolderRead) -> Result<()> {
        let mut tx = self.store.begin().await?;
        tx.execute(
            "insert into folder (place, uid_validity, uid) values ($1, $2, $3)
             on conflict (place) do update set uid_validity = $2, uid = $3",
            vec![
                place.0.clone().into(),
                i64::from(read.uid_validity).into(),
                i64::from(read.uid).into(),
            ],
        )
        .await?;
        tx.touch(Table::Folder, &place.0);
        let act = Act::FolderRead {
            place: place.0.clone(),
            uid_validity: read.uid_validity,
            uid: read.uid,
        };
        self.commit(tx, act).await
    }
}
