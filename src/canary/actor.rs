//! What an actor is known by, so that two contacts can be seen to come from one.
//!
//! A key is a value that whoever made the contact needs for their purpose and can hardly share with a
//! stranger: the number that is to be called back, the list that a mail belongs to, the domain where one
//! unsubscribes. One such key in common is enough. A domain that a mail merely claims to come from, or
//! links to, is weaker, since anybody can write it down: two of these in common are as good as one key.
//! What half the world uses (mail providers, link shorteners, senders for hire) is no key at all.

use super::{Actor, Channel};
use crate::notation::{fold, phone_key};

/// Mail for everybody; pages that everybody links to; short links; senders for hire.
const COMMON: &str = "
    163.com aol.com au.com docomo.ne.jp ezweb.ne.jp gmail.com gmx.de gmx.net googlemail.com
    hotmail.com icloud.com live.com mail.ru me.com msn.com nifty.com outlook.com outlook.jp
    proton.me qq.com softbank.jp softbank.ne.jp web.de yahoo.co.jp yahoo.com yandex.ru

    adobe.com amazon.co.jp amazon.com apple.com cloudflare.com facebook.com google.co.jp google.com
    googleapis.com gstatic.com instagram.com line.me linkedin.com microsoft.com rakuten.co.jp
    schema.org tiktok.com twitter.com w3.org x.com youtube.com

    bit.ly goo.gl is.gd lin.ee ow.ly t.co tinyurl.com

    amazonses.com brevo.com constantcontact.com hubspot.com list-manage.com mailchimp.com mailgun.org
    mcsv.net rsgsv.net sendgrid.net sendinblue.com sparkpostmail.com
";
/// Weaker keys looked at in one contact: each pair of them is a key.
const WEAK: usize = 5;
/// Keys taken from one contact.
const MOST: usize = 24;

/// What a value of an actor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// A mail address: the sender's, or one printed.
    Address,
    /// A domain: a proven sender's, or one to unsubscribe at.
    Domain,
    /// Two domains together: claimed senders, links.
    Domains,
    /// A mailing list.
    List,
    /// A telephone number: the caller's, or one printed.
    Phone,
    /// The sender's name on a letter.
    Name,
    /// A network.
    Network,
}

impl KeyKind {
    /// The name in tags and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            KeyKind::Address => "address",
            KeyKind::Domain => "domain",
            KeyKind::Domains => "domains",
            KeyKind::List => "list",
            KeyKind::Phone => "phone",
            KeyKind::Name => "name",
            KeyKind::Network => "network",
        }
    }
}

/// Something that an actor is known by.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct ActorKey {
    /// What it is.
    pub kind: KeyKind,
    /// The value, folded.
    pub value: String,
}

impl std::fmt::Debug for ActorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ActorKey")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Everything that tells an actor from others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActorKeys {
    /// The keys, each once.
    pub keys: Vec<ActorKey>,
    /// As whom it appears: a key that is seen with many of these is nobody's own.
    pub sender: Option<ActorKey>,
}

impl ActorKeys {
    /// The keys of whoever made a contact by this way.
    pub fn of(channel: Channel, actor: &Actor) -> ActorKeys {
        let mut keys = ActorKeys::default();
        match channel {
            Channel::Mail => keys.mail(actor),
            Channel::Phone | Channel::Sms => {
                let caller = phone_key(&actor.from, None);
                keys.sender = caller.map(|number| keys.put(KeyKind::Phone, number));
            }
            Channel::Post => {
                let name = letter_name(&actor.from);
                keys.sender = name.map(|name| keys.put(KeyKind::Name, name));
            }
            Channel::Login | Channel::Report => {
                let peer = actor.from.trim().to_lowercase();
                let address = |c: char| c.is_ascii_hexdigit() || ".:".contains(c);
                let is_one = peer.contains(['.', ':']) && peer.chars().all(address);
                keys.sender = is_one.then(|| keys.put(KeyKind::Network, peer));
            }
        }
        keys.keys.truncate(MOST);
        keys
    }

    /// Adds a key, and gives it back.
    pub fn put(&mut self, kind: KeyKind, value: String) -> ActorKey {
        let key = ActorKey { kind, value };
        if !self.keys.contains(&key) {
            self.keys.push(key.clone());
        }
        key
    }

    fn mail(&mut self, actor: &Actor) {
        let mut weak: Vec<String> = Vec::new();
        let mut claim = |domain: &str| {
            let domain = domain.to_lowercase();
            if !common(&domain) && weak.len() < WEAK && !weak.contains(&domain) {
                weak.push(domain);
            }
        };
        let from = actor.from.trim().to_lowercase();
        if let Some((local, domain)) = from.rsplit_once('@')
            && !nobody(local)
        {
            self.put(KeyKind::Address, from.clone());
            self.sender = Some(ActorKey {
                kind: KeyKind::Domain,
                value: domain.to_owned(),
            });
        }
        let Some(origin) = actor.origin.as_deref() else {
            return;
        };
        if let Some(sender) = &origin.sender {
            let domain = sender.domain.to_lowercase();
            claim(&domain);
            if sender.proven && !common(&domain) {
                self.put(KeyKind::Domain, domain.clone());
            }
            self.sender = Some(ActorKey {
                kind: KeyKind::Domain,
                value: domain,
            });
        }
        if let Some(list) = &origin.list {
            self.put(KeyKind::List, list.trim().to_lowercase());
        }
        for domain in origin.unsubscribe.iter().filter(|domain| !common(domain)) {
            claim(domain);
            self.put(KeyKind::Domain, domain.to_lowercase());
        }
        for domain in &origin.links {
            claim(domain);
        }
        for number in &origin.phones {
            self.put(KeyKind::Phone, number.clone());
        }
        for address in &origin.addresses {
            self.put(KeyKind::Address, address.to_lowercase());
        }
        weak.sort();
        for (place, one) in weak.iter().enumerate() {
            for other in &weak[place + 1..] {
                self.put(KeyKind::Domains, format!("{one} {other}"));
            }
        }
    }
}

/// A local part that every server writes from.
fn nobody(local: &str) -> bool {
    matches!(local, "" | "mailer-daemon" | "postmaster")
}

/// A sender's name on an envelope, without spaces and what firms are called by law.
fn letter_name(sender: &str) -> Option<String> {
    let mut name: String = fold(sender).split_whitespace().collect();
    for form in ["株式会社", "有限会社", "合同会社", "(株)", "(有)"] {
        name = name.replace(form, "");
    }
    (name.chars().count() >= 2).then_some(name)
}

/// Whether so many use a domain that it says nothing of whoever does.
fn common(domain: &str) -> bool {
    COMMON
        .split_whitespace()
        .any(|name| name.eq_ignore_ascii_case(domain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canary::{Origin, SenderDomain};

    fn mail(from: &str, origin: Origin) -> Vec<(KeyKind, String)> {
        let actor = Actor {
            from: from.to_owned(),
            origin: Some(Box::new(origin)),
            ..Actor::default()
        };
        let keys = ActorKeys::of(Channel::Mail, &actor).keys;
        keys.into_iter().map(|key| (key.kind, key.value)).collect()
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_claimed_domain_counts_only_beside_another() {
        let origin = |proven| Origin {
            sender: Some(SenderDomain {
                domain: "broker.example".to_owned(),
                proven,
            }),
            links: texts(&["shop.example", "bit.ly"]),
            ..Origin::default()
        };
        let pair = (KeyKind::Domains, "broker.example shop.example".to_owned());
        assert_eq!(mail("", origin(false)), std::slice::from_ref(&pair));
        let proven = (KeyKind::Domain, "broker.example".to_owned());
        assert_eq!(mail("", origin(true)), [proven, pair]);
    }

    #[test]
    fn what_everybody_uses_is_no_key() {
        let origin = Origin {
            sender: Some(SenderDomain {
                domain: "gmail.com".to_owned(),
                proven: true,
            }),
            unsubscribe: texts(&["list-manage.com"]),
            links: texts(&["google.com", "T.co"]),
            ..Origin::default()
        };
        assert_eq!(mail("MAILER-DAEMON@gmail.com", origin.clone()), []);
        // But a mailbox there is one person's.
        let address = (KeyKind::Address, "kenji.offers@gmail.com".to_owned());
        assert_eq!(mail("Kenji.Offers@gmail.com", origin), [address]);
    }

    #[test]
    fn a_number_is_one_key_whether_it_calls_or_is_printed() {
        let origin = Origin {
            phones: texts(&["+81301239999"]),
            ..Origin::default()
        };
        let caller = Actor {
            from: "03-0123-9999".to_owned(),
            ..Actor::default()
        };
        let called = ActorKeys::of(Channel::Phone, &caller).keys;
        assert_eq!(mail("", origin)[0].1, called[0].value);
        let hidden = Actor {
            from: "anonymous".to_owned(),
            ..Actor::default()
        };
        assert_eq!(ActorKeys::of(Channel::Phone, &hidden), ActorKeys::default());
    }

    #[test]
    fn a_firm_is_itself_in_every_spelling() {
        let of = |sender: &str| letter_name(sender);
        assert_eq!(of("株式会社 囮堂"), of("囮堂㈱"));
        assert_eq!(of("ＯＴＯＲＩ　Books"), of("Otori books"));
        assert_eq!(of(" 様"), None);
    }
}
