//! Schemas that many shops have, in our own words: what their tables and keys are, and no more. The
//! mapping files of `examples/sources` are what is tested.

use std::collections::BTreeSet;

use otori::canary::{Canary, State};
use otori::database::Engine;
use otori::persona::{Household, Locale, Shape};

use super::aged::tended_until_one_moves;
use super::people::{households, insert, joined, q};
use super::{Site, document};

const CUSTOMERS: usize = 300;

fn customers() -> Vec<Household> {
    households(Locale::EnUs, CUSTOMERS, &Shape::adults(20..=75))
}

fn phone(at: usize) -> String {
    q(&format!("202555{:04}", 100 + at % 100))
}

/// What the first canary's row in that table holds.
fn held(canary: &Canary, table: &str, column: &str) -> Option<String> {
    let row = canary
        .details
        .rows
        .iter()
        .find(|row| row.table.ends_with(table))?;
    row.cells
        .iter()
        .find(|cell| cell.column == column)?
        .value
        .clone()
}

/// Customer, address, city: the address goes in first, and the city is there.
async fn rental(engine: Engine) {
    let serial = match engine {
        Engine::Postgres => "serial",
        Engine::Sqlite => "integer not null",
        _ => "int unsigned not null auto_increment",
    };
    let reference = match engine {
        Engine::Postgres | Engine::Sqlite => "int",
        _ => "int unsigned",
    };
    let schema = [
        format!("create table country (country_id {serial}, country varchar(50) not null, primary key (country_id))"),
        format!("create table city (city_id {serial}, city varchar(50) not null, country_id {reference} not null, primary key (city_id),
            foreign key (country_id) references country (country_id))"),
        format!("create table address (address_id {serial}, address varchar(50) not null, address2 varchar(50), district varchar(20) not null,
            city_id {reference} not null, postal_code varchar(10), phone varchar(20) not null, last_update timestamp not null default current_timestamp,
            primary key (address_id), foreign key (city_id) references city (city_id))"),
        format!("create table customer (customer_id {serial}, store_id smallint not null, first_name varchar(45) not null, last_name varchar(45) not null,
            email varchar(50), address_id {reference} not null, active int not null default 1, create_date timestamp not null default current_timestamp,
            last_update timestamp not null default current_timestamp, primary key (customer_id),
            foreign key (address_id) references address (address_id))"),
    ];
    let people = customers();
    let cities: BTreeSet<&str> = people
        .iter()
        .map(|family| family.address.city.as_str())
        .chain(["Schenectady"])
        .collect();
    let cities: Vec<&str> = cities.into_iter().collect();
    let city = |name: &str| cities.iter().position(|own| *own == name).unwrap() + 1;
    let (mut addresses, mut rows) = (Vec::new(), Vec::new());
    for (at, family) in people.iter().enumerate() {
        let home = &family.address;
        addresses.push(vec![
            q(&home.block),
            q(""),
            q(&home.region),
            city(&home.city).to_string(),
            q(&home.postcode),
            phone(at),
            q(&joined(at)),
        ]);
        let (given, last) = (
            family.guardian.given.written.to_uppercase(),
            family.guardian.family.written.to_uppercase(),
        );
        rows.push(vec![
            (1 + at % 2).to_string(),
            q(&given),
            q(&last),
            q(&format!("{given}.{last}{at}@rental.example")),
            (at + 1).to_string(),
            "1".to_owned(),
            q(&joined(at)),
            q(&joined(at)),
        ]);
    }
    let data = [
        insert("country", "country", &[vec![q("United States")]]),
        insert(
            "city",
            "city, country_id",
            &cities
                .iter()
                .map(|name| vec![q(name), "1".to_owned()])
                .collect::<Vec<_>>(),
        ),
        insert(
            "address",
            "address, address2, district, city_id, postal_code, phone, last_update",
            &addresses,
        ),
        insert(
            "customer",
            "store_id, first_name, last_name, email, address_id, active, create_date, last_update",
            &rows,
        ),
    ];
    let tables = ["country", "city", "address", "customer"];
    let site = Site::new(engine, &tables, &[schema.as_slice(), &data].concat()).await;
    document(&site.add("customer", "pagila.toml"));
    let leak = "select c.first_name, c.last_name, a.address, t.city, a.district, a.postal_code, a.phone
         from customer c join address a on a.address_id = c.address_id join city t on t.city_id = a.city_id";
    let canaries = site.story(20, leak).await;
    for canary in &canaries {
        assert_eq!(canary.details.rows.len(), 2);
        assert_eq!(
            held(canary, "address", "city_id").unwrap(),
            city("Schenectady").to_string()
        );
        assert!(
            held(canary, "address", "address")
                .unwrap()
                .contains("99900 E"),
            "the drop's own street"
        );
        assert!(
            canary.written().any(|(_, text)| text == "Schenectady"),
            "what the joined tables show is known"
        );
        let name = held(canary, "customer", "last_name").unwrap();
        assert_eq!(name, name.to_uppercase());
    }

    // A drop in a town that the table has not is left out, and the others are enough.
    site.otori.json(&[
        "pool",
        "add",
        "drop",
        "--postcode",
        "14201",
        "--address",
        "99901 Example Ave, Buffalo",
        "--units",
        "1-90",
    ]);
    site.ground
        .run("update city set city = 'Nowhere' where city = 'Buffalo'")
        .await;
    let planted = site.otori.json(&["plant", "shop", "--count", "20"]);
    let notes = planted["notes"].to_string();
    assert!(
        notes.contains("1 of the 2 postal drops of the pool are left out")
            && notes.contains("city has no row for their towns"),
        "{planted}"
    );
    let live = site.canaries().await;
    let live = live.iter().filter(|canary| canary.state == State::Live);
    let towns: BTreeSet<String> = live
        .map(|canary| canary.details.household.address.city.clone())
        .collect();
    assert_eq!(towns, BTreeSet::from(["Schenectady".to_owned()]));
    site.otori.json(&["unplant", "shop", "--yes"]);

    // Where there is no such city, none is added, and our street in another city would be a stranger's.
    site.ground
        .run("update city set city = 'Elsewhere' where city = 'Schenectady'")
        .await;
    let before = site.dump().await;
    let refused = site
        .otori
        .command(&["plant", "shop", "--count", "5"])
        .output()
        .unwrap();
    let said = super::told(&refused);
    assert!(
        said.contains("city has no row for the town of 2 of the 2 postal drops")
            && said.contains("lack 5 units"),
        "{said}"
    );
    assert_eq!(site.dump().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn sakila_on_sqlite() {
    rental(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pagila_on_postgres() {
    rental(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sakila_on_mariadb() {
    rental(Engine::MySql).await;
}

/// Users, and attributes of theirs one to a row, without a declared foreign key.
#[tokio::test(flavor = "multi_thread")]
async fn woocommerce_on_mariadb() {
    let schema = [
        "create table wp_users (ID bigint unsigned not null auto_increment primary key, user_login varchar(60) not null default '',
            user_pass varchar(255) not null default '', user_nicename varchar(50) not null default '', user_email varchar(100) not null default '',
            user_url varchar(100) not null default '', user_registered datetime not null, user_activation_key varchar(255) not null default '',
            user_status int not null default 0, display_name varchar(250) not null default '', key login (user_login), key mail (user_email))",
        "create table wp_usermeta (umeta_id bigint unsigned not null auto_increment primary key, user_id bigint unsigned not null default 0,
            meta_key varchar(255), meta_value longtext, key user_id (user_id), key meta_key (meta_key(191)))",
    ]
    .map(str::to_owned);
    let (mut users, mut meta) = (Vec::new(), Vec::new());
    for (at, family) in customers().iter().enumerate() {
        let (person, home) = (&family.guardian, &family.address);
        let (given, last) = (&person.given.written, &person.family.written);
        let mail = format!(
            "{}.{}{at}@mail.example",
            given.to_lowercase(),
            last.to_lowercase()
        );
        users.push(vec![
            q(&mail),
            q(&format!("$P$B{:08x}abc{:06}", at * 7919 + 123_456_789, at)),
            q(&mail.replace('@', "").replace('.', "-")),
            q(&mail),
            q(""),
            q(&joined(at)),
            q(""),
            "0".to_owned(),
            q(&format!("{given} {last}")),
        ]);
        let mut of =
            |key: &str, value: &str| meta.push(vec![(at + 1).to_string(), q(key), q(value)]);
        of("first_name", given);
        of("last_name", last);
        of("nickname", &mail);
        of("last_update", &(1_700_000_000 + at * 86_413).to_string());
        of("wp_capabilities", "a:1:{s:8:\"customer\";b:1;}");
        of("locale", "");
        of("session_tokens", &format!("a:1:{{s:64:\"{at:064}\";}}"));
        // One in five has an account, and has bought nothing.
        if at % 5 > 0 {
            of("billing_first_name", given);
            of("billing_last_name", last);
            of("billing_address_1", &home.block);
            of("billing_city", &home.city);
            of("billing_state", &home.region);
            of("billing_postcode", &home.postcode);
            of("billing_country", "US");
            of("billing_email", &mail);
            of("billing_phone", &format!("202555{:04}", 100 + at % 100));
            if at % 10 > 6 {
                of("billing_address_2", &format!("Apt {}", at % 40 + 1));
            }
        }
    }
    let data = [
        insert(
            "wp_users",
            "user_login, user_pass, user_nicename, user_email, user_url, user_registered, user_activation_key, user_status, display_name",
            &users,
        ),
        insert("wp_usermeta", "user_id, meta_key, meta_value", &meta),
    ];
    let site = Site::new(
        Engine::MySql,
        &["wp_users", "wp_usermeta"],
        &[schema.as_slice(), &data].concat(),
    )
    .await;
    document(&site.add("wp_users", "woocommerce.toml"));
    let leak = "select u.user_email,
            max(case when m.meta_key = 'first_name' then m.meta_value end) as first_name,
            max(case when m.meta_key = 'last_name' then m.meta_value end) as last_name,
            max(case when m.meta_key = 'billing_address_1' then m.meta_value end) as address,
            max(case when m.meta_key = 'billing_postcode' then m.meta_value end) as postcode
         from wp_users u join wp_usermeta m on m.user_id = u.ID group by u.ID, u.user_email";
    let canaries = site.story(20, leak).await;
    let hashes: Vec<String> = users.iter().map(|user| user[1].replace('\'', "")).collect();
    let attribute = |canary: &Canary, key: &str| {
        let rows = canary.details.rows.iter();
        let mut rows = rows.filter(|row| {
            row.cells
                .iter()
                .any(|cell| cell.value.as_deref() == Some(key))
        });
        let row = rows.next()?;
        assert!(rows.next().is_none(), "{key} stands once");
        row.cells
            .iter()
            .find(|cell| cell.column == "meta_value")?
            .value
            .clone()
    };
    for canary in &canaries {
        let mail = held(canary, "wp_users", "user_email");
        assert!(
            attribute(canary, "billing_address_1")
                .unwrap()
                .contains("99900 E")
        );
        assert_eq!(attribute(canary, "billing_email"), mail);
        assert_eq!(held(canary, "wp_users", "user_login"), mail);
        assert_eq!(
            attribute(canary, "first_name"),
            attribute(canary, "billing_first_name")
        );
        assert_eq!(
            attribute(canary, "wp_capabilities").as_deref(),
            Some("a:1:{s:8:\"customer\";b:1;}")
        );
        assert_eq!(attribute(canary, "session_tokens"), None);
        assert_eq!(attribute(canary, "nickname"), mail);
        let changed: i64 = attribute(canary, "last_update").unwrap().parse().unwrap();
        assert!(changed > 1_700_000_000, "{changed}");
        // Nobody's password, and the name in addresses of pages follows the mail address.
        let pass = held(canary, "wp_users", "user_pass").unwrap();
        assert!(pass.starts_with("$P$B") && pass.len() == 21, "{pass}");
        assert!(!hashes.contains(&pass));
        let slug = held(canary, "wp_users", "user_nicename").unwrap();
        assert_eq!(slug, mail.unwrap().replace('@', "").replace('.', "-"));
    }

    // They age in their attributes: a move in one of them, and the moment of change in another.
    let before = site.dump().await;
    site.otori.json(&["plant", "shop", "--count", "20"]);
    let live = |canaries: Vec<Canary>| -> Vec<Canary> {
        let live = |canary: &Canary| canary.state == otori::canary::State::Live;
        canaries.into_iter().filter(live).collect()
    };
    let planted = live(site.canaries().await);
    let told = tended_until_one_moves(&site, "wp_usermeta.billing_address_");
    assert!(told.contains("wp_usermeta.last_update\""), "{told}");
    assert_eq!(site.verified()["intact"], 20);
    let door = |canary: &Canary| {
        let parts = ["billing_address_1", "billing_address_2"].map(|key| attribute(canary, key));
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    let mut moved = 0;
    for (old, new) in planted.iter().zip(&live(site.canaries().await)) {
        assert_eq!(
            attribute(old, "billing_phone"),
            attribute(new, "billing_phone")
        );
        assert_ne!(attribute(old, "last_update"), attribute(new, "last_update"));
        let unit = new.details.household.address.unit.clone().unwrap();
        let (old, new) = (door(old), door(new));
        moved += usize::from(old != new);
        assert!(new.ends_with(&unit), "{new} {unit}");
    }
    assert!((1..=20).contains(&moved), "{moved}");
    site.otori.json(&["unplant", "shop", "--yes"]);
    assert_eq!(site.dump().await, before);
}

/// The customer's row and the address refer to each other.
#[tokio::test(flavor = "multi_thread")]
async fn magento_on_mariadb() {
    let schema = [
        "create table customer_entity (entity_id int unsigned not null auto_increment primary key, website_id smallint unsigned, email varchar(255),
            group_id smallint unsigned not null default 0, store_id smallint unsigned default 0, created_at timestamp not null default current_timestamp,
            updated_at timestamp not null default current_timestamp, is_active smallint unsigned not null default 1, firstname varchar(255),
            lastname varchar(255), dob date, password_hash varchar(128), rp_token varchar(128), default_billing int unsigned, default_shipping int unsigned,
            gender smallint unsigned, unique key mail (email, website_id))",
        "create table customer_address_entity (entity_id int unsigned not null auto_increment primary key, parent_id int unsigned,
            created_at timestamp not null default current_timestamp, updated_at timestamp not null default current_timestamp,
            is_active smallint unsigned not null default 1, city varchar(255) not null, company varchar(255), country_id varchar(255) not null,
            firstname varchar(255) not null, lastname varchar(255) not null, postcode varchar(255), region varchar(255), region_id int unsigned,
            street text not null, telephone varchar(255) not null,
            foreign key (parent_id) references customer_entity (entity_id) on delete cascade)",
    ]
    .map(str::to_owned);
    let (mut rows, mut addresses) = (Vec::new(), Vec::new());
    for (at, family) in customers().iter().enumerate() {
        let (person, home, id) = (&family.guardian, &family.address, (at + 1).to_string());
        let (given, last) = (&person.given.written, &person.family.written);
        let shipping = if at % 4 == 0 {
            "null".to_owned()
        } else {
            id.clone()
        };
        rows.push(vec![
            "1".to_owned(),
            q(&format!("{}{at}@mail.example", last.to_lowercase())),
            "1".to_owned(),
            "1".to_owned(),
            q(&joined(at)),
            q(&joined(at)),
            "1".to_owned(),
            q(given),
            q(last),
            q(&person.birth.to_string()),
            q(&format!("{at:064x}:salt:3")),
            "null".to_owned(),
            id.clone(),
            shipping,
            (1 + at % 2).to_string(),
        ]);
        addresses.push(vec![
            id,
            q(&joined(at)),
            q(&joined(at)),
            "1".to_owned(),
            q(&home.city),
            "null".to_owned(),
            q("US"),
            q(given),
            q(last),
            q(&home.postcode),
            q(&home.region),
            (at % 50).to_string(),
            q(&home.block),
            phone(at),
        ]);
    }
    let data = [
        insert(
            "customer_entity",
            "website_id, email, group_id, store_id, created_at, updated_at, is_active, firstname, lastname, dob, password_hash, rp_token, default_billing, default_shipping, gender",
            &rows,
        ),
        insert(
            "customer_address_entity",
            "parent_id, created_at, updated_at, is_active, city, company, country_id, firstname, lastname, postcode, region, region_id, street, telephone",
            &addresses,
        ),
    ];
    let tables = ["customer_entity", "customer_address_entity"];
    let site = Site::new(Engine::MySql, &tables, &[schema.as_slice(), &data].concat()).await;
    document(&site.add("customer_entity", "magento.toml"));
    let leak = "select * from customer_address_entity";
    let canaries = site.story(24, leak).await;
    let mut unshipped = 0;
    for canary in &canaries {
        let [main, address] = canary.details.rows.as_slice() else {
            panic!("{} rows", canary.details.rows.len())
        };
        assert_eq!(
            held(canary, "customer_entity", "default_billing").as_ref(),
            Some(&address.key[0].1)
        );
        assert_eq!(
            held(canary, "address_entity", "parent_id").as_ref(),
            Some(&main.key[0].1)
        );
        unshipped += usize::from(held(canary, "customer_entity", "default_shipping").is_none());
    }
    assert!((1..=20).contains(&unshipped), "{unshipped}");
}

/// A partner refers to itself, and to a state that is there.
#[tokio::test(flavor = "multi_thread")]
async fn odoo_on_postgres() {
    let schema = [
        "create table res_country (id serial primary key, name jsonb not null, code varchar(2))",
        "create table res_country_state (id serial primary key, country_id int not null references res_country, name varchar not null, code varchar not null)",
        "create table res_partner (id serial primary key, company_id int, create_date timestamp, name varchar, display_name varchar, complete_name varchar,
            parent_id int references res_partner on delete restrict, state_id int references res_country_state, country_id int references res_country,
            commercial_partner_id int references res_partner, create_uid int, write_uid int, lang varchar, tz varchar, type varchar, street varchar,
            street2 varchar, zip varchar, city varchar, email varchar, phone varchar, email_normalized varchar, color int, comment text,
            active boolean, is_company boolean, write_date timestamp)",
    ]
    .map(str::to_owned);
    let people = customers();
    let states: BTreeSet<&str> = people
        .iter()
        .map(|family| family.address.region.as_str())
        .chain(["NY"])
        .collect();
    let states: Vec<&str> = states.into_iter().collect();
    let mut rows = Vec::new();
    for (at, family) in people.iter().enumerate() {
        let (person, home) = (&family.guardian, &family.address);
        let name = q(&format!(
            "{} {}",
            person.given.written, person.family.written
        ));
        let mail = q(&format!(
            "{}{at}@mail.example",
            person.family.written.to_lowercase()
        ));
        let state = states.iter().position(|own| *own == home.region).unwrap() + 1;
        rows.push(
            [
                q(&joined(at)),
                name.clone(),
                name.clone(),
                name,
                state.to_string(),
                "1".to_owned(),
                (at + 1).to_string(),
                "2".to_owned(),
                "2".to_owned(),
                q("en_US"),
                q("contact"),
                q(&home.block),
                "null".to_owned(),
                q(&home.postcode),
                q(&home.city),
                mail.clone(),
                phone(at),
                mail,
                "0".to_owned(),
                "true".to_owned(),
                "false".to_owned(),
                q(&joined(at)),
            ]
            .to_vec(),
        );
    }
    let data = [
        insert("res_country", "name, code", &[vec![q("{\"en_US\": \"United States\"}"), q("US")]]),
        insert(
            "res_country_state",
            "country_id, name, code",
            &states.iter().map(|code| vec!["1".to_owned(), q(&format!("State of {code}")), q(code)]).collect::<Vec<_>>(),
        ),
        insert(
            "res_partner",
            "create_date, name, display_name, complete_name, state_id, country_id, commercial_partner_id, create_uid, write_uid, lang, type, street, street2,
             zip, city, email, phone, email_normalized, color, active, is_company, write_date",
            &rows,
        ),
    ];
    let tables = ["res_country", "res_country_state", "res_partner"];
    let site = Site::new(
        Engine::Postgres,
        &tables,
        &[schema.as_slice(), &data].concat(),
    )
    .await;
    document(&site.add("res_partner", "odoo.toml"));
    let leak = "select name, street, city, zip, email, phone from res_partner";
    let canaries = site.story(20, leak).await;
    let state = states.iter().position(|own| *own == "NY").unwrap() + 1;
    for canary in &canaries {
        let own = &canary.details.rows[0].key[0].1;
        assert_eq!(
            held(canary, "res_partner", "commercial_partner_id").as_ref(),
            Some(own)
        );
        assert_eq!(
            held(canary, "res_partner", "state_id"),
            Some(state.to_string())
        );
        assert_eq!(
            held(canary, "res_partner", "name"),
            held(canary, "res_partner", "display_name")
        );
    }
}
