//! Dumps of databases: `insert` statements of any length, and PostgreSQL's `copy`.
//!
//! A statement may be as long as the whole dump, so it is never held: rows are given as their last
//! bracket comes. Nothing is executed, and what is no value (a function, a cast) is read for the text
//! within it.

use std::collections::HashMap;
use std::io::{self, Read};

use super::bytes::Bytes;
use super::fields::{Cells, split_escaped};
use super::part::{Head, Parts};
use super::records::{Kind, LONGEST};
use super::rows::Rows;

/// No value is longer.
const VALUE: usize = 256 << 10;
/// No row has more cells.
const CELLS: usize = 4_000;
/// Tables, and columns of a table, that are remembered.
const TABLES: usize = 4_000;
/// Names are no longer.
const NAME: usize = 256;

/// How statements begin that stand at the start of dumps.
const OPENINGS: &[&str] = &[
    "--",
    "/*",
    "#",
    "insert ",
    "replace ",
    "create ",
    "drop ",
    "set ",
    "begin",
    "pragma ",
    "copy ",
    "use ",
    "start ",
    "lock ",
    "alter ",
    "truncate ",
    "delete ",
    "\\",
    "go",
];

/// Whether a text is a dump, by its start.
pub fn is_sql(start: &str) -> bool {
    let lines = || start.lines().map(str::trim).filter(|line| !line.is_empty());
    let begins = |line: &str, word: &str| {
        line.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    let opens = lines()
        .next()
        .is_some_and(|line| OPENINGS.iter().any(|word| begins(line, word)));
    opens
        && lines().any(|line| {
            let copy =
                || begins(line, "copy ") && line.to_ascii_lowercase().contains(" from stdin");
            let words = [
                "insert into ",
                "insert [",
                "insert ignore into ",
                "replace into ",
                "create table ",
            ];
            words.iter().any(|word| begins(line, word)) || copy()
        })
}

/// Whether a backslash in a string escapes what follows, as in MySQL.
fn escapes(start: &str) -> bool {
    [
        "MySQL dump",
        "MariaDB dump",
        "ENGINE=",
        "phpMyAdmin",
        "INSERT INTO `",
        "/*!40",
    ]
    .iter()
    .any(|word| start.contains(word))
}

/// Reads a dump to its end; `start` is what is known of it before.
///
/// # Errors
/// The input's.
pub fn read(
    name: &str,
    encoding: &'static str,
    start: &str,
    input: impl Read,
    parts: &mut dyn Parts,
) -> io::Result<()> {
    let mut dump = Dump {
        bytes: Bytes::new(input),
        escapes: escapes(start),
        name: name.to_owned(),
        encoding,
        parts,
        columns: HashMap::new(),
        tables: HashMap::new(),
        cells: Vec::new(),
        size: 0,
        unclosed: false,
    };
    let read = dump.statements();
    // What was read before an input broke off is given all the same.
    let mut tables: Vec<Table> = dump.tables.into_values().collect();
    tables.sort_by_key(|table| table.number);
    for table in &mut tables {
        table.rows.flush(dump.parts)?;
    }
    read
}

struct Table {
    number: usize,
    rows: Rows,
}

struct Dump<'a, R> {
    bytes: Bytes<R>,
    escapes: bool,
    name: String,
    encoding: &'static str,
    parts: &'a mut dyn Parts,
    /// Columns of each table, as it was created.
    columns: HashMap<String, Vec<String>>,
    /// By name and columns.
    tables: HashMap<(String, Vec<String>), Table>,
    cells: Vec<String>,
    size: usize,
    /// A string went on into another statement.
    unclosed: bool,
}

impl<R: Read> Dump<'_, R> {
    fn statements(&mut self) -> io::Result<()> {
        loop {
            self.space()?;
            let Some(byte) = self.bytes.peek()? else {
                return Ok(());
            };
            match byte {
                b';' | b')' | b',' => {
                    self.bytes.next()?;
                }
                b'\\' => self.rest_of_line()?,
                byte if byte.is_ascii_alphabetic() => self.statement()?,
                _ => self.rest_of_statement()?,
            }
        }
    }

    fn statement(&mut self) -> io::Result<()> {
        let mut word = self.word()?;
        while !word.is_empty() {
            let other = match word.as_str() {
                "insert" | "replace" => self.insert()?,
                "create" => self.create().map(|()| None)?,
                "copy" => self.copy().map(|()| None)?,
                "delimiter" => self.delimiter().map(|()| None)?,
                "go" => None,
                _ => self.rest_of_statement().map(|()| None)?,
            };
            word = other.unwrap_or_default();
        }
        Ok(())
    }

    /// A word in lower case, or nothing.
    fn word(&mut self) -> io::Result<String> {
        self.space()?;
        let mut word = Vec::new();
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
        self.bytes.take_while(&mut word, NAME, letter)?;
        Ok(String::from_utf8_lossy(&word).to_lowercase())
    }

    /// Passes over spaces and comments.
    fn space(&mut self) -> io::Result<()> {
        let mut none = Vec::new();
        loop {
            self.bytes
                .take_while(&mut none, 0, |byte| byte.is_ascii_whitespace() || byte == 0)?;
            if self.bytes.comes(b"--")? || self.bytes.comes(b"#")? {
                self.rest_of_line()?;
            } else if self.bytes.comes(b"/*")? {
                self.bytes.skip(2);
                while !self.bytes.comes(b"*/")? {
                    if self.bytes.next()?.is_none() {
                        return Ok(());
                    }
                    self.bytes.take_while(&mut none, 0, |byte| byte != b'*')?;
                }
                self.bytes.skip(2);
            } else {
                return Ok(());
            }
        }
    }

    fn rest_of_line(&mut self) -> io::Result<()> {
        self.bytes.line(&mut Vec::new(), 0).map(|_| ())
    }

    /// To the semicolon, past all that may hold one; or to a line that begins another statement, as in dumps that end
    /// theirs with a line end, or with SQL Server's `GO`.
    fn rest_of_statement(&mut self) -> io::Result<()> {
        let mut none = Vec::new();
        loop {
            if self.bytes.comes(b"--")? || self.bytes.comes(b"#")? {
                self.rest_of_line()?;
                if self.begins()? {
                    return Ok(());
                }
                continue;
            }
            match self.bytes.peek()? {
                None => return Ok(()),
                Some(b';') => {
                    self.bytes.next()?;
                    return Ok(());
                }
                Some(b'\n') => {
                    self.bytes.next()?;
                    if self.begins()? {
                        return Ok(());
                    }
                }
                Some(b'/') if self.bytes.comes(b"/*")? => self.space()?,
                Some(quote @ (b'\'' | b'"' | b'`')) => {
                    self.string(quote, &mut none, 0)?;
                    if self.unclosed {
                        return Ok(());
                    }
                }
                Some(b'$') => self.dollars()?,
                Some(_) => {
                    self.bytes.next()?;
                }
            }
        }
    }

    /// Whether a line begins as a statement does that gives rows, or ends a batch of them.
    fn begins(&mut self) -> io::Result<bool> {
        for start in [
            &b"insert into "[..],
            b"insert [",
            b"replace into ",
            b"create table ",
            b"go\n",
            b"go\r",
        ] {
            if self.bytes.comes(start)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `$$ … $$` or `$tag$ … $tag$`.
    fn dollars(&mut self) -> io::Result<()> {
        let mut tag = vec![b'$'];
        self.bytes.next()?;
        self.bytes.take_while(&mut tag, 64, |byte| {
            byte.is_ascii_alphanumeric() || byte == b'_'
        })?;
        if self.bytes.peek()? != Some(b'$') {
            return Ok(());
        }
        tag.push(b'$');
        self.bytes.next()?;
        while !self.bytes.comes(&tag)? {
            if self.bytes.next()?.is_none() {
                return Ok(());
            }
        }
        self.bytes.skip(tag.len());
        Ok(())
    }

    /// MySQL's client lets another word end statements, for procedures: they hold no rows.
    fn delimiter(&mut self) -> io::Result<()> {
        let mut line = Vec::new();
        self.bytes.line(&mut line, NAME)?;
        if line.trim_ascii() == b";" {
            return Ok(());
        }
        while self.bytes.line(&mut line, NAME)? {
            let start = line.get(..10).unwrap_or_default();
            if start.eq_ignore_ascii_case(b"delimiter ") && line[10..].trim_ascii() == b";" {
                return Ok(());
            }
        }
        Ok(())
    }

    /// A name of a table or a column, its quotes taken off; of a qualified one the last part.
    fn name(&mut self) -> io::Result<String> {
        let mut name = String::new();
        loop {
            self.space()?;
            let mut bytes = Vec::new();
            match self.bytes.peek()? {
                Some(quote @ (b'"' | b'`')) => self.string(quote, &mut bytes, NAME)?,
                Some(b'[') => {
                    self.bytes.next()?;
                    self.bytes
                        .take_while(&mut bytes, NAME, |byte| byte != b']')?;
                    self.bytes.next()?;
                }
                _ => {
                    let letter = |byte: u8| {
                        byte.is_ascii_alphanumeric()
                            || matches!(byte, b'_' | b'$' | b'#')
                            || byte >= 0x80
                    };
                    self.bytes.take_while(&mut bytes, NAME, letter)?;
                }
            }
            if !bytes.is_empty() || name.is_empty() {
                name = String::from_utf8_lossy(&bytes).into_owned();
            }
            if self.bytes.peek()? != Some(b'.') {
                return Ok(name);
            }
            self.bytes.next()?;
        }
    }

    /// `(a, b, c)`, or nothing.
    fn names(&mut self) -> io::Result<Option<Vec<String>>> {
        self.space()?;
        if self.bytes.peek()? != Some(b'(') {
            return Ok(None);
        }
        self.bytes.next()?;
        let mut names = Vec::new();
        loop {
            let name = self.name()?;
            if names.len() < CELLS {
                names.push(name);
            }
            self.space()?;
            match self.bytes.next()? {
                Some(b',') => {}
                _ => return Ok(Some(names)),
            }
        }
    }

    fn create(&mut self) -> io::Result<()> {
        loop {
            match self.word()?.as_str() {
                "table" => break,
                "temporary" | "temp" | "unlogged" | "foreign" | "global" | "local" => {}
                _ => return self.rest_of_statement(),
            }
        }
        let mut table = self.name()?;
        if table.eq_ignore_ascii_case("if") {
            self.word()?;
            self.word()?;
            table = self.name()?;
        }
        self.space()?;
        if self.bytes.peek()? != Some(b'(') {
            return self.rest_of_statement();
        }
        self.bytes.next()?;
        let columns = self.definitions()?;
        if self.columns.len() < TABLES {
            self.columns.insert(table, columns);
        }
        self.rest_of_statement()
    }

    /// The columns between a table's brackets.
    fn definitions(&mut self) -> io::Result<Vec<String>> {
        const NO_COLUMN: [&str; 12] = [
            "primary",
            "key",
            "unique",
            "constraint",
            "index",
            "foreign",
            "check",
            "fulltext",
            "spatial",
            "exclude",
            "like",
            "period",
        ];
        let mut columns = Vec::new();
        let mut none = Vec::new();
        let mut depth = 1;
        let mut begins = true;
        while depth > 0 {
            self.space()?;
            if begins {
                begins = false;
                let quoted = matches!(self.bytes.peek()?, Some(b'"' | b'`' | b'['));
                let name = self.name()?;
                let column = quoted || !NO_COLUMN.contains(&name.to_ascii_lowercase().as_str());
                if column && !name.is_empty() && columns.len() < CELLS {
                    columns.push(name);
                }
                continue;
            }
            match self.bytes.peek()? {
                None | Some(b';') => break,
                Some(quote @ (b'\'' | b'"' | b'`')) => {
                    self.string(quote, &mut none, 0)?;
                    if self.unclosed {
                        break;
                    }
                    continue;
                }
                Some(b'(') => depth += 1,
                Some(b')') => depth -= 1,
                Some(b',') => begins = depth == 1,
                Some(_) => {}
            }
            self.bytes.next()?;
        }
        Ok(columns)
    }

    /// Where the rows of a table go.
    fn table(
        &mut self,
        name: String,
        columns: Option<Vec<String>>,
    ) -> io::Result<Option<(String, Vec<String>)>> {
        let columns = columns.or_else(|| self.columns.get(&name).cloned());
        let key = (name, columns.unwrap_or_default());
        if self.tables.contains_key(&key) {
            return Ok(Some(key));
        }
        if self.tables.len() >= TABLES {
            return Ok(None);
        }
        // The rows of a table stand together: when another begins, those that waited for more go on.
        for table in self.tables.values_mut() {
            table.rows.flush(self.parts)?;
        }
        let (table, columns) = &key;
        let name = match self.name.as_str() {
            "" => table.clone(),
            name => format!("{name}/{table}"),
        };
        let mut head = Head::split(&name, "sql", self.encoding);
        head.header = (!columns.is_empty()).then(|| columns.clone());
        let table = Table {
            number: self.tables.len(),
            rows: Rows::new(head),
        };
        self.tables.insert(key.clone(), table);
        Ok(Some(key))
    }

    fn copy(&mut self) -> io::Result<()> {
        let table = self.name()?;
        let columns = self.names()?;
        let from = self.word()? == "from" && self.word()? == "stdin";
        // Options, and the line end behind the semicolon.
        self.rest_of_statement()?;
        if !from {
            return Ok(());
        }
        self.rest_of_line()?;
        let key = self.table(table, columns)?;
        let mut line = Vec::new();
        let mut cells = Cells::default();
        while self.bytes.line(&mut line, LONGEST)? {
            if line == b"\\." {
                break;
            }
            split_escaped(&String::from_utf8_lossy(&line), b'\t', &mut cells);
            let kind = if line.len() < LONGEST {
                Kind::Sound
            } else {
                Kind::TooLong
            };
            if let Some(table) = key.as_ref().and_then(|key| self.tables.get_mut(key)) {
                table.rows.push(cells.iter(), kind, self.parts)?;
            }
        }
        Ok(())
    }

    /// The rows of a statement; where no semicolon ends it, the word that begins the next one.
    fn insert(&mut self) -> io::Result<Option<String>> {
        loop {
            match self.word()?.as_str() {
                // SQL Server writes `insert [table]`.
                "into" | "" => break,
                "ignore" | "low_priority" | "high_priority" | "delayed" | "or" | "replace"
                | "rollback" | "abort" | "fail" => {}
                _ => return self.rest_of_statement().map(|()| None),
            }
        }
        let table = self.name()?;
        let columns = self.names()?;
        loop {
            match self.word()?.as_str() {
                "values" => break,
                // MySQL knows it as the same; else it is `overriding system value`.
                "value" => {
                    self.space()?;
                    if self.bytes.peek()? == Some(b'(') {
                        break;
                    }
                }
                "overriding" | "system" | "user" => {}
                _ => return self.rest_of_statement().map(|()| None),
            }
        }
        let key = self.table(table, columns)?;
        loop {
            self.space()?;
            if self.bytes.peek()? != Some(b'(') {
                let word = self.word()?;
                if !word.is_empty() && !matches!(word.as_str(), "on" | "as" | "returning") {
                    return Ok(Some(word));
                }
                return self.rest_of_statement().map(|()| None);
            }
            self.bytes.next()?;
            let kind = self.tuple()?;
            if let Some(table) = key.as_ref().and_then(|key| self.tables.get_mut(key)) {
                let cells = self.cells.iter().map(String::as_str);
                table.rows.push(cells, kind, self.parts)?;
            }
            if std::mem::take(&mut self.unclosed) {
                return Ok(None);
            }
            self.space()?;
            if self.bytes.peek()? == Some(b',') {
                self.bytes.next()?;
            }
        }
    }

    /// The values up to the closing bracket.
    fn tuple(&mut self) -> io::Result<Kind> {
        self.cells.clear();
        self.size = 0;
        loop {
            let value = self.value()?;
            self.size += value.len();
            if self.cells.len() < CELLS && self.size <= LONGEST {
                self.cells.push(value);
            }
            if self.unclosed {
                return Ok(Kind::OpenQuote);
            }
            match self.bytes.next()? {
                Some(b',') => {}
                Some(b')') if self.size > LONGEST => return Ok(Kind::TooLong),
                Some(b')') => return Ok(Kind::Sound),
                _ => return Ok(Kind::Broken),
            }
        }
    }

    /// One value, up to the comma or the bracket behind it: its strings if it has any, else its words.
    fn value(&mut self) -> io::Result<String> {
        let (mut text, mut words) = (Vec::new(), Vec::new());
        let (mut depth, mut strings, mut replace) = (0_usize, 0, false);
        loop {
            self.space()?;
            match self.bytes.peek()? {
                None => break,
                Some(b';') => break,
                Some(b',' | b')') if depth == 0 => break,
                Some(b'\'') => {
                    // Of a function's arguments the first is the value: replace('…','\n',char(10)).
                    let mut other = Vec::new();
                    let into = if depth == 0 || strings == 0 {
                        &mut text
                    } else {
                        &mut other
                    };
                    let escapes = self.escapes;
                    self.escapes |= words.eq_ignore_ascii_case(b"e");
                    self.string(b'\'', into, VALUE)?;
                    self.escapes = escapes;
                    strings += 1;
                    if self.unclosed {
                        break;
                    }
                }
                Some(quote @ (b'"' | b'`')) => {
                    self.string(quote, &mut words, VALUE)?;
                    if self.unclosed {
                        break;
                    }
                }
                Some(byte) => {
                    depth += usize::from(byte == b'(');
                    depth -= usize::from(byte == b')');
                    replace |= byte == b'(' && words.eq_ignore_ascii_case(b"replace");
                    if strings == 0 && words.len() < VALUE {
                        words.push(byte);
                    }
                    self.bytes.next()?;
                }
            }
        }
        if strings == 0 {
            let word = String::from_utf8_lossy(&words).into_owned();
            return Ok(if word.eq_ignore_ascii_case("null") {
                String::new()
            } else {
                word
            });
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        // What sqlite3 writes for a line end.
        Ok(if replace {
            text.replace("\\r", "").replace("\\n", "\n")
        } else {
            text
        })
    }

    /// A quoted text, its quotes taken off; `out` gets it up to a limit. A line within that begins as a statement
    /// does tells that the quote was never closed.
    fn string(&mut self, quote: u8, out: &mut Vec<u8>, limit: usize) -> io::Result<()> {
        self.bytes.next()?;
        let escapes = self.escapes && quote != b'`';
        loop {
            let plain = |byte: u8| byte != quote && byte != b'\n' && !(escapes && byte == b'\\');
            self.bytes.take_while(out, limit, plain)?;
            let Some(byte) = self.bytes.next()? else {
                self.unclosed = true;
                return Ok(());
            };
            let letter = if byte == quote {
                if self.bytes.peek()? != Some(quote) {
                    return Ok(());
                }
                self.bytes.next()?;
                Some(quote)
            } else if byte == b'\n' {
                for statement in [
                    &b"insert into "[..],
                    b"replace into ",
                    b"create table ",
                    b"unlock tables",
                ] {
                    if self.bytes.comes(statement)? {
                        self.unclosed = true;
                        return Ok(());
                    }
                }
                Some(b'\n')
            } else {
                match self.bytes.next()? {
                    Some(b'n') => Some(b'\n'),
                    Some(b't') => Some(b'\t'),
                    Some(b'r') => Some(b'\r'),
                    Some(b'0' | b'Z') => None,
                    other => other,
                }
            };
            if out.len() < limit {
                out.extend(letter);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::collected::{read_all, read_one};

    #[test]
    fn what_pg_dump_writes() {
        let dump = r"--
-- PostgreSQL database dump
--
\restrict x
SET client_encoding = 'UTF8';
CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $$ insert into a values (1); $$;
CREATE TABLE public.customer (
    id bigint NOT NULL,
    name character varying(40) DEFAULT 'x,y'::character varying,
    kids numeric(3,1),
    CONSTRAINT c CHECK ((id > 0))
);
COPY public.customer (id, name, kids) FROM stdin;
1	山田\t太郎	\N
2	a\\b;--c	1.5
\.


COPY public.empty (id) FROM stdin;
\.
";
        let part = read_one(dump.as_bytes());
        assert_eq!((part.name.as_str(), part.format), ("customer", "sql"));
        assert_eq!(part.header.as_ref().unwrap(), &["id", "name", "kids"]);
        assert_eq!(part.lines(), ["1|山田\t太郎|", "2|a\\b;--c|1.5"]);
        let inserts = r"-- PostgreSQL database dump
CREATE TABLE public.customer (id bigint, name text);
INSERT INTO public.customer VALUES (1, 'O''Neill \ x');
INSERT INTO public.customer VALUES (2, E'a\'b\n');
INSERT INTO public.customer (name) VALUES ('only');
INSERT INTO public.customer OVERRIDING SYSTEM VALUE VALUES (3, 'c');
INSERT INTO public.customer VALUE (4, 'd');
";
        let parts = read_all(inserts.as_bytes());
        assert_eq!(
            parts[0].lines(),
            ["1|O'Neill \\ x", "2|a'b\n", "3|c", "4|d"]
        );
        assert_eq!(parts[0].header.as_ref().unwrap(), &["id", "name"]);
        assert_eq!(parts[1].lines(), ["only"]);
    }

    #[test]
    fn what_mysqldump_writes() {
        let dump = r"-- MySQL dump 10.13
/*!40101 SET NAMES utf8mb4 */;
DROP TABLE IF EXISTS `会員`;
CREATE TABLE `会員` (
  `id` int(11) NOT NULL AUTO_INCREMENT COMMENT 'a, b',
  `name` varchar(40) DEFAULT NULL,
  `note` enum('x','y') DEFAULT 'x',
  PRIMARY KEY (`id`),
  KEY `n` (`name`)
) ENGINE=InnoDB;
LOCK TABLES `会員` WRITE;
INSERT INTO `会員` VALUES (1,'山田 \'太\' \\','x'),(2,NULL,_binary 'y'),
(3,'a\nb;(',0x41);
UNLOCK TABLES;
DELIMITER ;;
CREATE TRIGGER t BEFORE INSERT ON `会員` FOR EACH ROW BEGIN INSERT INTO log VALUES (NEW.id); END ;;
DELIMITER ;
INSERT IGNORE INTO `other` (`a`,`b`) VALUES (1,2);
";
        let parts = read_all(dump.as_bytes());
        assert_eq!(parts.len(), 2, "{parts:?}");
        assert_eq!(parts[0].header.as_ref().unwrap(), &["id", "name", "note"]);
        assert_eq!(
            parts[0].lines(),
            ["1|山田 '太' \\|x", "2||y", "3|a\nb;(|0x41"]
        );
        assert_eq!(parts[1].lines(), ["1|2"]);
    }

    #[test]
    fn what_sqlite_and_others_write() {
        let dump = "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE IF NOT EXISTS \"c d\" (id INTEGER PRIMARY KEY, [n n] TEXT);\n\
            INSERT INTO \"c d\" VALUES(1,'a''b');\nINSERT INTO \"c d\" VALUES(2,replace('x\\ny','\\n',char(10)));\n\
            INSERT INTO [dbo].[t] ([a]) VALUES (CAST(N'2020-01-01' AS DateTime2))\nGO\nCOMMIT;\n";
        let parts = read_all(dump.as_bytes());
        assert_eq!(parts[0].header.as_ref().unwrap(), &["id", "n n"]);
        assert_eq!(parts[0].lines(), ["1|a'b", "2|x\ny"]);
        assert_eq!(parts[1].lines(), ["2020-01-01"]);
    }

    #[test]
    fn statements_that_no_semicolon_ends() {
        let server = "USE [crm]\r\nGO\r\nSET ANSI_NULLS ON\r\nGO\r\nCREATE TABLE [dbo].[客](\r\n\t[id] [int] NOT NULL,\r\n\t[名] [nvarchar](40) NULL\r\n) ON [PRIMARY]\r\nGO\r\n\
            SET IDENTITY_INSERT [dbo].[客] ON \r\n\r\nINSERT [dbo].[客] ([id], [名]) VALUES (1, N'山田')\r\n\
            INSERT [dbo].[客] ([id], [名]) VALUES (2, N'佐藤')\r\nGO\r\nprint 'Processed 2 total records'\r\n\
            INSERT [dbo].[客] ([id], [名]) VALUES (3, NULL)\r\nSET IDENTITY_INSERT [dbo].[客] OFF\r\nGO\r\n";
        let part = read_one(server.as_bytes());
        assert_eq!(part.header.as_ref().unwrap(), &["id", "名"]);
        assert_eq!(part.lines(), ["1|山田", "2|佐藤", "3|"]);
        // Only the line ends.
        let mut bare = String::new();
        for row in 1..30 {
            bare += &format!("INSERT INTO a (id, b) VALUES ({row}, 'x; y')\n");
        }
        let part = read_one(bare.as_bytes());
        assert_eq!(part.rows.len(), 29);
        assert_eq!(part.bad(), 0);
        // What belongs to a statement of rows is none of its own.
        let part = read_one(
            b"insert into a values (1,'b') on duplicate key update x = values(x);\ninsert into a values (2,'c') returning id;\n",
        );
        assert_eq!(part.lines(), ["1|b", "2|c"]);
    }

    #[test]
    fn a_quote_that_never_closes_hides_one_statement() {
        let mut dump = "-- MySQL dump\nINSERT INTO `a` VALUES (1,'x'),(2,'lone);\n".to_owned();
        for row in 3..50 {
            dump += &format!("INSERT INTO `a` VALUES ({row},'y');\n");
        }
        let part = read_one(dump.as_bytes());
        assert_eq!(part.rows.len(), 49);
        assert_eq!(part.bad(), 1);
        let cut = read_one(b"-- x\ninsert into a values (1,'b'),(2,'c");
        assert_eq!(cut.lines(), ["1|b", "2|c"]);
        assert_eq!(cut.bad(), 1);
    }

    /// One statement of 40 MB goes through in pieces.
    #[test]
    fn one_statement_is_the_whole_dump() {
        let mut dump = "-- MySQL dump\nINSERT INTO `a` VALUES (0,'x')".to_owned();
        for row in 1..200_000 {
            dump += &format!(",({row},'somebody of some length {row} in some street')");
        }
        let part = read_one((dump + ";\n").as_bytes());
        assert_eq!(part.rows.len(), 200_000);
        assert_eq!(part.bad(), 0);
    }
}
