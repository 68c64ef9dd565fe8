//! Edited leaks, the reduced form of `cargo bench --bench edits`: what single edits and all of them may
//! cost.

use otori::persona::Locale;

#[path = "../../../benches/edits/leak/mod.rs"]
mod leak;

use leak::ground::Ground;
use leak::{Outcome, document, layout, notation};
use otori::notation::Role;
use rand::SeedableRng;
use rand::rngs::StdRng;

fn ground(locale: Locale) -> Ground {
    Ground::new(locale, 2_000, 200, 21)
}

#[track_caller]
fn at_least(share: f64, outcomes: &[Outcome]) {
    assert!(!outcomes.is_empty());
    let short = outcomes.iter().filter(|outcome| outcome.share() < share);
    let short: Vec<String> = short
        .map(|outcome| format!("{}: {} of {}", outcome.edit, outcome.found, outcome.present))
        .collect();
    assert!(short.is_empty(), "under {share}:\n{}", short.join("\n"));
}

#[test]
fn a_notation_of_one_of_two_columns_costs_no_canary() {
    for locale in [Locale::JaJp, Locale::EnUs] {
        at_least(0.99, &ground(locale).notations());
    }
}

#[test]
fn a_report_names_the_hash_that_a_list_holds() {
    let ground = ground(Locale::JaJp);
    let mut edits = notation::all().into_iter();
    let hashed = edits.find(|edit| edit.role == Role::Email && edit.name == "SHA-256");
    let mut table = ground.table.clone();
    hashed
        .unwrap()
        .apply(&mut table, &mut StdRng::seed_from_u64(1));
    let list = layout::csv(&table.only(&[Role::Email, Role::Postcode]));
    let shown = document(&ground.watch(), "list.csv", list);
    let canaries = shown["canaries"].as_array().unwrap();
    assert_eq!(canaries.len(), ground.canaries.len());
    for canary in canaries {
        assert_eq!(canary["hashed"][0]["mark"], "email", "{canary}");
        assert_eq!(canary["hashed"][0]["hash"], "SHA-256", "{canary}");
        assert_eq!(canary["near"].as_array().unwrap().len(), 0, "{canary}");
    }
}

#[test]
fn a_slip_in_every_row_costs_no_canary() {
    for locale in [Locale::JaJp, Locale::EnUs] {
        at_least(0.99, &ground(locale).slips());
    }
}

#[test]
fn a_layout_costs_no_canary() {
    for locale in [Locale::JaJp, Locale::EnUs] {
        at_least(0.99, &ground(locale).layouts());
    }
}

#[test]
fn all_edits_together_cost_one_canary_in_twenty() {
    for locale in [Locale::JaJp, Locale::EnUs] {
        at_least(0.95, &ground(locale).mixed());
    }
}
