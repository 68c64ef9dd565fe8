use proptest::prelude::*;

use super::*;

fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("list.csv");
    std::fs::write(&path, bytes).unwrap();
    (directory, path)
}

fn plant(path: &Path, rows: &[Vec<(&str, Option<&str>)>]) {
    let mut rewrite = Rewrite::begin(&CsvFile::open(path).unwrap()).unwrap();
    for row in rows {
        rewrite.insert(row).unwrap();
    }
    rewrite.commit().unwrap();
}

/// Removes the rows whose first column is `first`.
fn unplant(path: &Path, first: &str) {
    let csv = CsvFile::open(path).unwrap();
    let mut rewrite = Rewrite::begin(&csv).unwrap();
    let column = csv.header[0].clone();
    let mut found = Vec::new();
    rewrite
        .scan(&[&column], |number, row| {
            if row[0].as_deref() == Some(first) {
                found.push(number);
            }
        })
        .unwrap();
    for number in found {
        rewrite.delete(number, &[(&column, Some(first))]).unwrap();
    }
    rewrite.commit().unwrap();
}

#[test]
fn planted_and_removed_leaves_every_byte() {
    let (cp932, _, _) =
        encoding_rs::SHIFT_JIS.encode("氏名,備考\r\n髙橋,\"改\r\n行\"\r\n﨑山,ソ\r\n");
    let originals: Vec<Vec<u8>> = vec![
        b"a,b\n1,2\n3,4\n".to_vec(),
        b"a,b\n1,2\n3,4".to_vec(),
        b"a,b".to_vec(),
        b"a,b\r\n".to_vec(),
        b"\xef\xbb\xbf\"a\"\t\"b\"\r\n\"1\"\t\"x\"\"y\"\r\n".to_vec(),
        b"a;b\n1;2\n\n3\n4;5;6\n\n7;8\n\n".to_vec(),
        b"a,b\n1,2\r\n3,4\n".to_vec(),
        cp932.into_owned(),
    ];
    for original in originals {
        let (_directory, path) = file(&original);
        let header = CsvFile::open(&path).unwrap().header;
        let row = |second| {
            vec![
                (header[0].as_str(), Some("囮")),
                (header[1].as_str(), second),
            ]
        };
        plant(&path, &[row(Some("ソ\"\n,表")), row(None), row(Some("x"))]);
        let planted = std::fs::read(&path).unwrap();
        assert!(planted.len() > original.len());
        let csv = CsvFile::open(&path).unwrap();
        let mut values = Vec::new();
        csv.scan(&[&header[1]], |cells| values.push(cells[0].clone()))
            .unwrap();
        assert!(values.contains(&Some("ソ\"\n,表".to_owned())));
        unplant(&path, "囮");
        assert_eq!(
            std::fs::read(&path).unwrap(),
            original,
            "{}",
            String::from_utf8_lossy(&original)
        );
    }
}

#[test]
fn the_files_habits_are_kept() {
    let (_directory, path) = file(b"id;name\r\n1;\"A\"\r\n2;\"B\"\r\n");
    plant(&path, &[vec![("id", Some("3")), ("name", Some("C"))]]);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("3;\"C\"\r\n"), "{text}");
}

#[cfg(unix)]
#[test]
fn permissions_stay() {
    use std::os::unix::fs::PermissionsExt;
    let (_directory, path) = file(b"a\n1\n");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    plant(&path, &[vec![("a", Some("2"))]]);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn bad_files_are_told() {
    let long = [b"a,b\n1,\"".as_slice(), &b"x\n".repeat(1 << 20)].concat();
    let cases: &[(&[u8], &str)] = &[
        (b"a,b\n1,\"x\n2,y\n", "line 2: a quote"),
        (b"a,b\n1,x\n2,\0\n", "line 3: it holds a NUL"),
        (&long, "line 2: the record that begins here is longer"),
        (b"\xff\xfea\0", "UTF-16"),
        (b"a\r1\r", "lone CR"),
        (b"a\n\xe3\x81\xff\xff\n", "neither UTF-8 nor CP932"),
        (b"a,a\n", "two columns are named 'a'"),
    ];
    for (bytes, told) in cases {
        let (_directory, path) = file(bytes);
        let error = CsvFile::open(&path).and_then(|csv| csv.count());
        let error = error.unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    let (_directory, path) = file(&vec![b'x'; 3 << 20]);
    let error = CsvFile::open(&path).err().unwrap().to_string();
    assert!(error.contains("first line is longer than 1 MiB"), "{error}");
}

#[test]
fn ragged_records_are_counted_and_kept() {
    let (_directory, path) = file(b"a,b\n1,2\n3\n4,5,6\n7,8\n");
    assert_eq!(CsvFile::open(&path).unwrap().count().unwrap(), (2, 2));
}

#[test]
fn a_character_that_cp932_lacks_is_refused_before_anything_is_written() {
    let (text, _, _) = encoding_rs::SHIFT_JIS.encode("氏名\n高橋\n");
    let (_directory, path) = file(&text);
    let mut rewrite = Rewrite::begin(&CsvFile::open(&path).unwrap()).unwrap();
    for lacking in ["𠮷野", "\u{301c}", "é"] {
        let error = rewrite
            .insert(&[("氏名", Some(lacking))])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("column 氏名") && !error.contains(lacking),
            "{error}"
        );
    }
}

#[test]
fn a_file_changed_meanwhile_is_left_alone() {
    let (_directory, path) = file(b"a\n1\n");
    let mut rewrite = Rewrite::begin(&CsvFile::open(&path).unwrap()).unwrap();
    rewrite.insert(&[("a", Some("2"))]).unwrap();
    std::fs::write(&path, b"a\n1\nnew\n").unwrap();
    assert!(
        rewrite
            .commit()
            .unwrap_err()
            .to_string()
            .contains("changed by another process")
    );
    assert_eq!(std::fs::read(&path).unwrap(), b"a\n1\nnew\n");
    assert_eq!(
        std::fs::read_dir(path.parent().unwrap()).unwrap().count(),
        1
    );
}

proptest! {
    #[test]
    fn any_row_goes_in_and_comes_out(cells in proptest::collection::vec("[a\"\r\n,;あ]{0,4}", 2), body in "([ab],[cd]\n){0,5}") {
        let original = format!("x,y\n{body}");
        let (_directory, path) = file(original.as_bytes());
        plant(&path, &[vec![("x", Some(&cells[0])), ("y", Some(&cells[1]))]]);
        let csv = CsvFile::open(&path).unwrap();
        let wanted: Row = cells.iter().map(|cell| (!cell.is_empty()).then(|| cell.clone())).collect();
        let mut rows = Vec::new();
        csv.scan(&["x", "y"], |row| rows.push(row.to_vec())).unwrap();
        // A row of empty fields only is still a row: ",".
        prop_assert!(rows.contains(&wanted));
        prop_assert_eq!(rows.len(), body.lines().count() + 1);
    }
}
