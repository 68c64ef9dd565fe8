use rand::RngExt;
use serde_json::Value;

use super::*;
use crate::trace::testing::{NOW, World, csv};
use crate::trace::{Document, Report, Settings, Watch, trace};

/// A report without what depends on where it was made.
fn shown(report: &Report<'_>) -> Value {
    let mut shown = serde_json::to_value(Document::from(report)).unwrap();
    shown.as_object_mut().unwrap().remove("elapsed_seconds");
    let file = shown["file"].as_object_mut().unwrap();
    for key in ["name", "sha256", "bytes", "files"] {
        file.remove(key);
    }
    shown
}

fn whole(watch: &Watch, list: &str) -> Value {
    let report = trace(
        watch,
        "list",
        list.as_bytes(),
        &Settings::new(NOW),
        &mut |_| {},
    );
    shown(&report.unwrap())
}

/// A piece as it comes from another machine.
fn sent(watch: &Watch, name: &str, text: &str, laid: Option<&Laid>) -> Piece {
    let piece = Piece::read(watch, name, text.as_bytes(), laid, &mut |_| {}).unwrap();
    let json = serde_json::to_string(&piece.document(watch)).unwrap();
    Piece::from_json(&json, watch).unwrap()
}

/// A text in stretches of whole lines, some of them empty.
fn cut<'a>(world: &mut World, text: &'a str, stretches: usize) -> Vec<&'a str> {
    let mut ends: Vec<usize> = (1..stretches)
        .map(|_| world.rng.random_range(0..text.len()))
        .map(|at| {
            text[..text.ceil_char_boundary(at)]
                .rfind('\n')
                .map_or(0, |end| end + 1)
        })
        .collect();
    ends.extend([0, text.len()]);
    ends.sort_unstable();
    ends.windows(2)
        .map(|pair| &text[pair[0]..pair[1]])
        .collect()
}

#[test]
fn stretches_of_a_list_give_the_report_of_the_whole() {
    let mut world = World::new(11, 8);
    let leaked: Vec<usize> = (0..30).collect();
    let mut lines = world.lines(250, &leaked);
    // A row that is there twice, in two stretches, and bad ones.
    lines.push(world.planted(3));
    for columns in [&[0, 1, 2, 3, 4, 5, 6][..], &[4, 6, 0]] {
        let mut list = csv(&lines, columns);
        list.push_str("too,few\n\"never closed,1,2,3,4,5\nx\n");
        let laid = Laid::of(list.as_bytes()).unwrap();
        let laid = Laid::from_json(&laid.to_json()).unwrap();
        let watch = world.watch();
        for stretches in [2, 7] {
            let pieces = cut(&mut world, &list, stretches).into_iter();
            let pieces = pieces.map(|piece| sent(&watch, "-", piece, Some(&laid)));
            let merged = merge(pieces.collect()).unwrap();
            let report = merged.report(&watch, "list", &Settings::new(NOW));
            assert_eq!(
                shown(&report),
                whole(&watch, &list),
                "{columns:?} {stretches}"
            );
            assert_eq!(report.list.bytes, list.len() as u64);
        }
    }
}

#[test]
fn files_of_their_own_stay_tables_and_say_which_is_which() {
    let mut world = World::new(12, 6);
    let watch = world.watch();
    let one = csv(&world.lines(100, &[0, 1, 2]), &[0, 4, 6]);
    let other = csv(&world.lines(80, &[3, 4]), &[5, 0, 3]);
    let pieces = vec![
        sent(&watch, "a.csv", &one, None),
        sent(&watch, "b.csv", &other, None),
    ];
    let report = merge(pieces)
        .unwrap()
        .report(&watch, "both", &Settings::new(NOW));
    let shown = serde_json::to_value(Document::from(&report)).unwrap();
    assert_eq!(shown["verdict"], "attributed", "{shown}");
    assert_eq!(shown["file"]["rows"], 185);
    assert_eq!(shown["sources"][0]["found"], 5);
    let parts: Vec<&str> = shown["file"]["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["name"].as_str().unwrap())
        .collect();
    assert_eq!(parts, ["a.csv", "b.csv"]);
    let files = shown["file"]["files"].as_array().unwrap();
    assert_eq!(files.len(), 2);
    let of_b = shown["canaries"].as_array().unwrap().iter();
    assert_eq!(of_b.filter(|canary| canary["part"] == "b.csv").count(), 2);
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let mut world = World::new(13, 3);
    let watch = world.watch();
    let list = csv(&world.lines(60, &[0]), &[0, 4, 6]);
    let turned = csv(&world.lines(60, &[0]), &[4, 0, 6]);
    let laid = Laid::of(list.as_bytes()).unwrap();
    let other_layout = Laid::of(turned.as_bytes()).unwrap();
    let piece = |laid: Option<&Laid>| sent(&watch, "x.csv", &list, laid);
    for pair in [
        vec![piece(Some(&laid)), piece(None)],
        vec![piece(Some(&laid)), piece(Some(&other_layout))],
    ] {
        let told = merge(pair).unwrap_err().to_string();
        assert!(told.contains("different layouts"), "{told}");
    }
    assert!(matches!(merge(Vec::new()), Err(CannotMerge::Nothing)));
    let twice = once(&[piece(None), piece(None)]).unwrap_err().to_string();
    assert!(twice.contains("give each part once"), "{twice}");
    let other = sent(&watch, "y.csv", &turned, None);
    assert!(once(&[piece(None), other]).is_ok());

    let json = serde_json::to_string(&piece(None).document(&watch)).unwrap();
    let elsewhere = World::new(14, 3).watch();
    let refused =
        |text: &str, watch: &Watch| Piece::from_json(text, watch).unwrap_err().to_string();
    assert!(refused(&json, &elsewhere).contains("other canaries"));
    assert!(refused("{}", &watch).contains("no part's result"));
    assert!(
        refused(
            &json.replace("\"otori_part\":1", "\"otori_part\":2"),
            &watch
        )
        .contains("format is 2")
    );
    let stray = json.replace("\"canaries\":[0]", "\"canaries\":[4000]");
    assert_ne!(stray, json);
    assert!(refused(&stray, &watch).contains("do not fit"));
}

#[test]
fn a_part_holds_nothing_of_the_list_but_the_names_of_its_columns() {
    let mut world = World::new(15, 3);
    let watch = world.watch();
    let lines = world.lines(60, &[0, 1]);
    let list = csv(&lines, &[0, 1, 2, 3, 4, 5, 6]);
    let laid = Laid::of(list.as_bytes()).unwrap();
    let piece = sent(&watch, "x.csv", &list, Some(&laid));
    let json = serde_json::to_string(&piece.document(&watch)).unwrap() + &laid.to_json();
    for cell in lines.iter().flatten() {
        assert!(!json.contains(cell.as_str()), "{cell}");
    }
    assert!(json.contains("生年月日"));
}

#[test]
fn what_is_no_layout_is_told() {
    let told = |text: &str| Laid::from_json(text).unwrap_err().to_string();
    assert!(told("{}").contains("no layout"));
    assert!(told("a,b").contains("no layout"));
    assert!(matches!(Laid::of(&b""[..]), Err(InvalidLayout::Empty)));
    let laid = Laid::of(&b"name;phone\nA;090-0000-0000\n"[..])
        .unwrap()
        .to_json();
    assert!(told(&laid.replace("utf-8", "utf-9")).contains("encoding is unknown"));
    assert!(
        told(&laid.replace("\"otori_layout\":1", "\"otori_layout\":7")).contains("format is 7")
    );
}

#[test]
fn hashes_of_rows_are_hidden_from_whoever_has_not_the_canaries() {
    let mut world = World::new(16, 3);
    let list = csv(&world.lines(50, &[0]), &[0, 4, 6]);
    let sample = |watch: &Watch| {
        let piece = Piece::read(watch, "x", list.as_bytes(), None, &mut |_| {}).unwrap();
        let document = serde_json::to_value(piece.document(watch)).unwrap();
        let rows = document["tally"]["sample"]["rows"].clone();
        assert_eq!(rows.as_object().map(serde_json::Map::len), Some(51));
        rows
    };
    let (one, other) = (world.watch(), World::new(17, 3).watch());
    assert_eq!(sample(&one), sample(&one));
    assert_ne!(sample(&one), sample(&other));
}
