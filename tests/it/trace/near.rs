//! What a user sees of rows that agree nearly: `otori trace` names the source, and says which marks
//! agree exactly, which nearly, and what became of them.

use std::collections::HashSet;

use serde_json::Value;

use super::{Broker, text};

/// The slip of a mark of a canary, where the report tells of one.
fn how<'a>(canary: &'a Value, mark: &str) -> Option<&'a str> {
    let near = canary["near"].as_array().unwrap();
    let told = near.iter().find(|near| near["mark"] == mark)?;
    told["how"].as_str()
}

#[tokio::test]
async fn a_list_full_of_slips_names_the_source_and_says_what_became_of_each_mark() {
    let mut broker = Broker::new().await;
    for line in &mut broker.lines {
        // Everybody's number has lost its last digits, and everybody's birthday is mistyped.
        line[4] = line[4].chars().take(10).collect();
        let day = if line[5].ends_with('3') { "14" } else { "13" };
        line[5].replace_range(8.., day);
    }
    let list = broker.list(&[0, 1, 2, 3, 4, 5], ",", true);
    let traced = broker.named("slips.csv", list.as_bytes());
    let canaries = traced["canaries"].as_array().unwrap();
    assert_eq!(canaries.len(), 30);
    let told = |mark: &str, wanted: &str| {
        let fits = canaries
            .iter()
            .filter(|canary| how(canary, mark).is_some_and(|how| how.starts_with(wanted)));
        fits.count()
    };
    assert!(told("phone", "cut after") >= 28, "{traced}");
    assert!(told("birth", "another day") >= 26, "{traced}");
    let exact = |canary: &&Value| {
        let matched = canary["matched"].as_array().unwrap();
        matched.iter().any(|mark| text(mark) == "name")
    };
    assert_eq!(canaries.iter().filter(exact).count(), 30);

    // The same in words.
    let path = broker.write("slips.csv", list.as_bytes());
    let mut command = broker.otori.command(&["trace", path.to_str().unwrap()]);
    let words = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(words.contains("nearly phone (cut after"), "{words}");
    assert!(words.contains("nearly birth (another day)"), "{words}");
}

/// With names alone exact and everything else a slip away, there is still enough.
#[tokio::test]
async fn a_name_and_two_slips() {
    let mut broker = Broker::new().await;
    let numbers: HashSet<String> = broker.lines.iter().map(|line| line[4].clone()).collect();
    for line in &mut broker.lines {
        // Another digit at the end, and nobody else's number: that would be no slip of this one.
        let head = &line[4][..line[4].len() - 1];
        let mut others = ('0'..='9').map(|last| format!("{head}{last}"));
        line[4] = others.find(|number| !numbers.contains(number)).unwrap();
        // There is no 31 June: a day that no calendar has is no other birthday.
        let months = if line[5].ends_with("31") {
            ["07", "05"]
        } else {
            ["06", "05"]
        };
        let month = months.into_iter().find(|month| *month != &line[5][5..7]);
        line[5].replace_range(5..7, month.unwrap());
    }
    let list = broker.list(&[0, 4, 5], ",", true);
    let traced = broker.named("three.csv", list.as_bytes());
    assert!(
        traced["canaries"].as_array().unwrap().len() >= 27,
        "{traced}"
    );
}

/// Strangers who are nearly canaries accuse nobody: everybody's family name and birthday, nobody's
/// contact point.
#[tokio::test]
async fn strangers_who_are_nearly_canaries_accuse_nobody() {
    let broker = Broker::new().await;
    let drop = |line: &&super::Line| line[3].contains("囮ハイツ");
    let planted: Vec<&super::Line> = broker.lines.iter().filter(drop).collect();
    let mut list = super::HEADER.join(",") + "\n";
    for (place, line) in broker.strangers.iter().enumerate() {
        let mut line = line.clone();
        if let Some(canary) = planted.get(place / 100).filter(|_| place % 100 == 0) {
            // The same day of another year, and a namesake of another given name.
            line[5] = format!("{}{}", &line[5][..5], &canary[5][5..]);
            let family: String = canary[0].chars().take(2).collect();
            line[0] = format!("{family} {}", line[0].split(' ').next_back().unwrap());
        }
        list += &(line.join(",") + "\n");
    }
    let traced = broker.trace("namesakes.csv", list.as_bytes());
    assert_ne!(text(&traced["verdict"]), "attributed", "{traced}");
}
