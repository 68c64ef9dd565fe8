//! How many canaries are found in edited leaks, and how many in lists that hold none.
//!
//! `cargo bench --bench edits` prints the share found per edit; `-- --rows 100000 --canaries 1000` makes the
//! table larger, `--group 0` runs the notations alone (1 slips, 2 layouts, 3 all mixed, 4 all mixed without mail and phone), `-- --unrelated 100000000` counts false canaries over so many rows of strangers, and
//! `-- --files DIR` writes the lists of `compare.py`, which runs Splink and recordlinkage over them.

#[path = "leak/mod.rs"]
mod leak;
mod strangers;

use leak::Outcome;
use leak::ground::Ground;
use otori::notation::Role;
use otori::persona::Locale;
use rand::SeedableRng;
use rand::rngs::StdRng;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let number = |name: &str, otherwise: usize| {
        option(name).map_or(otherwise, |text| text.parse().expect("a number"))
    };
    let (rows, canaries) = (number("--rows", 20_000), number("--canaries", 500));
    if let Some(directory) = option("--files") {
        strangers::files(std::path::Path::new(&directory), rows, canaries);
        return;
    }
    if let Some(unrelated) = option("--unrelated") {
        strangers::count(unrelated.parse().expect("a number"), canaries);
        return;
    }
    for locale in [Locale::JaJp, Locale::EnUs] {
        let ground = Ground::new(locale, rows, canaries, 1);
        println!("{locale:?}: {canaries} canaries among {rows} strangers");
        let groups: [fn(&Ground) -> Vec<Outcome>; 5] = [
            Ground::notations,
            Ground::slips,
            Ground::layouts,
            Ground::mixed,
            mixed_without_contacts,
        ];
        let wanted = option("--group").and_then(|text| text.parse::<usize>().ok());
        let groups = groups.into_iter().enumerate();
        let groups = groups.filter(|(at, _)| wanted.is_none_or(|wanted| wanted == *at));
        for outcome in groups.flat_map(|(_, group)| group(&ground)) {
            let share = 100.0 * outcome.share();
            println!(
                "{share:7.2}%  {:4} of {:4}  {}",
                outcome.found, outcome.present, outcome.edit
            );
        }
    }
}

/// All edits in a list without mail addresses and numbers, as a broker's list of households may be: names,
/// dates and addresses are all that is left.
fn mixed_without_contacts(ground: &Ground) -> Vec<Outcome> {
    let mut rng = StdRng::seed_from_u64(11);
    let mixed = ground.mixed_table(&mut rng);
    let roles = mixed.columns.iter().map(|(_, role)| *role);
    let roles: Vec<Role> = roles
        .filter(|role| !matches!(role, Role::Email | Role::Phone))
        .collect();
    let bytes = leak::layout::csv(&mixed.only(&roles));
    let edit = "all mixed, no mail and no phone".to_owned();
    vec![ground.outcome(edit, "list.csv", bytes)]
}
