//! Columns that repeat a row's mail address in a way of their own: a user name, a slug in an address of a page.

use std::collections::BTreeMap;

/// Rows that have both, at least.
const ENOUGH: usize = 40;
/// The share of the rows that keep the rule.
const RULE: f64 = 0.95;

/// How a column is written from the mail address of its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Derived {
    /// Whether it stops before the `@`.
    local: bool,
    /// Whether capitals become small.
    lower: bool,
    /// What the signs between letters and digits become.
    signs: BTreeMap<char, String>,
}

impl Derived {
    /// Learns from rows: the mail address and the column's text. `None` where the one does not follow from the other.
    pub(super) fn learn<'r>(
        rows: impl Iterator<Item = (&'r str, &'r str)> + Clone,
    ) -> Option<Derived> {
        let count = rows.clone().count();
        if count < ENOUGH {
            return None;
        }
        [false, true].into_iter().find_map(|local| {
            let aligned = rows
                .clone()
                .filter_map(|(mail, text)| Some((text, align(part(mail, local)?, text)?)));
            let aligned: Vec<(&str, Signs<'_>)> = aligned.collect();
            if (aligned.len() as f64) < RULE * count as f64 {
                return None;
            }
            let mut seen: BTreeMap<char, BTreeMap<&str, usize>> = BTreeMap::new();
            for (sign, becomes) in aligned.iter().flat_map(|(_, signs)| signs) {
                *seen.entry(*sign).or_default().entry(becomes).or_default() += 1;
            }
            let most = |(sign, texts): (char, BTreeMap<&str, usize>)| {
                let text = texts.into_iter().max_by_key(|(_, count)| *count)?.0;
                Some((sign, text.to_owned()))
            };
            let capitals = |text: &str| text.chars().any(char::is_uppercase);
            Some(Derived {
                local,
                lower: !aligned.iter().any(|(text, _)| capitals(text)),
                signs: seen.into_iter().filter_map(most).collect(),
            })
        })
    }

    /// What stands there beside a mail address.
    pub(super) fn of(&self, mail: &str) -> Option<String> {
        let mut text = String::with_capacity(mail.len());
        for c in part(mail, self.local)?.chars() {
            match self.signs.get(&c) {
                Some(becomes) => text += becomes,
                None if self.lower => text.extend(c.to_lowercase()),
                None => text.push(c),
            }
        }
        Some(text)
    }
}

/// Signs of a mail address, and what each has become.
type Signs<'t> = Vec<(char, &'t str)>;

fn part(mail: &str, local: bool) -> Option<&str> {
    match local {
        true => mail.split_once('@').map(|(local, _)| local),
        false => Some(mail),
    }
}

/// What each sign of `mail` has become in `text`, if its letters and digits stand there in their order and no others do.
fn align<'t>(mail: &str, text: &'t str) -> Option<Signs<'t>> {
    let mut signs = Vec::new();
    let mut rest = text;
    for c in mail.chars() {
        if c.is_alphanumeric() {
            let mut others = rest.chars();
            let same = others.next()?.to_lowercase().eq(c.to_lowercase());
            rest = same.then_some(others.as_str())?;
            continue;
        }
        let next = rest.find(char::is_alphanumeric).unwrap_or(rest.len());
        // Of two signs in a row the first has become all that stands there.
        let (becomes, behind) = rest.split_at(next);
        signs.push((c, becomes));
        rest = behind;
    }
    rest.is_empty().then_some(signs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learnt(text: impl Fn(usize, &str) -> String) -> Option<Derived> {
        let mails: Vec<String> = (0..100)
            .map(|at| format!("Jo.{at}_k@mail-{}.example", at % 7))
            .collect();
        let texts: Vec<String> = (mails.iter().enumerate())
            .map(|(at, mail)| text(at, mail))
            .collect();
        let rows = mails.iter().zip(&texts);
        Derived::learn(rows.map(|(mail, text)| (mail.as_str(), text.as_str())))
    }

    #[test]
    fn user_names_follow_the_mail_address() {
        let own = "Mika.w_9@post.example";
        let same = learnt(|_, mail| mail.to_owned()).unwrap();
        assert_eq!(same.of(own).unwrap(), own);
        let small = learnt(|_, mail| mail.to_lowercase()).unwrap();
        assert_eq!(small.of(own).unwrap(), "mika.w_9@post.example");
        let local = learnt(|_, mail| mail.split_once('@').unwrap().0.to_owned()).unwrap();
        assert_eq!(local.of(own).unwrap(), "Mika.w_9");
        // As WordPress makes the name in an address of it.
        let slug = learnt(|_, mail| {
            let mail = mail.to_lowercase().replace('@', "");
            mail.replace(['.', '_'], "-")
        });
        assert_eq!(slug.unwrap().of(own).unwrap(), "mika-w-9post-example");
        let few_slips = learnt(|at, mail| {
            if at % 50 == 0 {
                "x".to_owned()
            } else {
                mail.to_owned()
            }
        });
        assert!(few_slips.is_some());
        assert_eq!(learnt(|at, _| format!("user{at}")), None);
        assert_eq!(learnt(|_, mail| format!("{mail}1")), None);
    }
}
