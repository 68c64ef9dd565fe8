//! What must be refused of several tables: told which and why, nothing registered, nothing planted.

use otori::canary::State;
use otori::database::Engine;
use serde_json::Value;

use super::family::families;
use super::people::{insert, q};
use super::{Site, document, told};

/// Mappings that do not hang together, and what must be said of each.
const WRONG: &[(&str, &[&str])] = &[
    (
        "table = \"pupils\"\njoin = { guardian_id = \"guardians.id\" }",
        &["pupils"],
    ),
    (
        "table = \"children\"\njoin = {}",
        &["children", "join is empty"],
    ),
    (
        "table = \"children\"\njoin = { parent = \"guardians.id\" }",
        &["parent", "children"],
    ),
    (
        "table = \"children\"\njoin = { guardian_id = \"guardians.number\" }",
        &["number", "guardians"],
    ),
    (
        "table = \"children\"\njoin = { guardian_id = \"id\" }",
        &["'id' is not TABLE.COLUMN"],
    ),
    (
        "table = \"children\"\njoin = { guardian_id = \"parents.id\" }",
        &["no table 'parents' before it", "guardians"],
    ),
    (
        "table = \"children\"\njoin = { name = \"guardians.name\" }",
        &["neither side is a key"],
    ),
    (
        "table = \"children\"\njoin = { guardian_id = \"guardians.id\" }\nrows = \"existing\"",
        &["cannot be there before"],
    ),
    (
        "table = \"children\"\njoin = { guardian_id = \"guardians.id\" }\nrows = \"twins\"",
        &["twins", "household"],
    ),
    (
        "table = \"children\"\njoin = { guardian_id = \"guardians.id\" }\ncolour = \"red\"",
        &["colour"],
    ),
    (
        "table = \"children\"\njoin = { guardian_id = \"guardians.id\" }\nattribute = \"name\"",
        &["attribute and value go together"],
    ),
    (
        "table = \"children\"\njoin = { guardian_id = \"guardians.id\" }\n[related.columns.age]\nrole = \"age\"",
        &["age", "children"],
    ),
    (
        "table = \"guardians\"\njoin = { id = \"guardians.id\" }",
        &["named already"],
    ),
    (
        "table = \"families\"\njoin = { id = \"guardians.id\" }",
        &["it is a view"],
    ),
    (
        "table = \"children\"\njoin = { guardian_id = \"guardians.id\" }\nattribute = \"grade\"\nvalue = \"name\"\n[related.columns.shoe_size]\nrole = \"other\"",
        &["no row of children has the attribute shoe_size"],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_that_does_not_hang_together_is_told() {
    let schema = [
        "create table guardians (id integer primary key, name text not null, tel text)",
        "create table children (guardian_id integer not null references guardians(id), no integer not null, name text, grade text, primary key (guardian_id, no))",
        "create view families as select * from guardians",
        "insert into guardians (name, tel) values ('山田 花子', '090-0123-9001'), ('鈴木 一郎', '090-0123-9002')",
        "insert into children values (1, 1, '山田 太郎', '小1'), (2, 1, '鈴木 次郎', '小2')",
    ];
    let tables = ["guardians", "children"];
    let site = Site::new(Engine::Sqlite, &tables, &schema.map(str::to_owned)).await;
    for (related, words) in WRONG {
        let mapping = format!(
            "locale = \"ja_JP\"\n[columns.name]\nrole = \"name\"\n[[related]]\n{related}\n"
        );
        let said = told(&site.add_told("guardians", &mapping));
        for word in *words {
            assert!(said.contains(word), "{related}: {word}: {said}");
        }
        assert!(!said.contains("山田"), "no customer is shown: {said}");
    }
    let listed = site.otori.json(&["source", "list"]);
    assert_eq!(listed["sources"], Value::Array(Vec::new()));
}

/// Plants into `source`; nothing may be left anywhere.
async fn refused(site: &Site, source: &str) -> String {
    let before = site.dump().await;
    let output = site
        .otori
        .command(&["plant", source, "--count", "12"])
        .output()
        .unwrap();
    let said = told(&output);
    assert_eq!(site.dump().await, before, "{said}");
    let batches = site.otori.registry.batches(None).await.unwrap();
    assert!(
        batches.iter().all(|batch| batch.state == State::Void),
        "{said}"
    );
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_related_table_refuses_undoes_the_whole_batch() {
    let (site, _) = families(Engine::Postgres).await;
    let run = async |statement: &str| site.ground.run(statement).await;

    run("create function crm.crowded() returns trigger language plpgsql as $$ begin raise exception 'this class is full'; end $$").await;
    run("create trigger guard before insert on crm.children for each row execute function crm.crowded()").await;
    let said = refused(&site, "shop").await;
    assert!(
        said.contains("crm.crowded() of table crm.children") && said.contains("this class is full"),
        "{said}"
    );
    run("create or replace function crm.crowded() returns trigger language plpgsql as $$ begin raise exception 'no room for %', new.name; end $$").await;
    let said = refused(&site, "shop").await;
    assert!(
        said.contains("crm.crowded()") && !said.contains("no room"),
        "what it says is a canary's name: {said}"
    );
    run("drop trigger guard on crm.children").await;

    run("create function crm.shout() returns trigger language plpgsql as $$ begin new.grade := '9'; return new; end $$").await;
    run("create trigger loud before insert on crm.children for each row execute function crm.shout()").await;
    let said = refused(&site, "shop").await;
    assert!(
        said.contains("column grade of crm.children does not keep"),
        "{said}"
    );
    run("drop trigger loud on crm.children").await;

    run("alter table crm.children add constraint unborn check (birthday > '2100-01-01') not valid")
        .await;
    let said = refused(&site, "shop").await;
    assert!(
        said.contains("unborn") && said.contains("crm.children"),
        "{said}"
    );
    run("alter table crm.children drop constraint unborn").await;

    run("create table crm.schools (id int primary key)").await;
    run("alter table crm.children add school int not null default 7").await;
    run("alter table crm.children add constraint attends foreign key (school) references crm.schools not valid").await;
    let said = refused(&site, "shop").await;
    assert!(
        said.contains("attends") || said.contains("school"),
        "{said}"
    );
    run("alter table crm.children drop column school").await;

    // A role that may write to the customer table alone.
    let role = crate::servers::unique("half");
    for statement in [
        format!("create role {role} login password 'geheim'"),
        format!("grant usage on schema crm to {role}"),
        format!("grant select on all tables in schema crm to {role}"),
        format!("grant insert, delete on crm.guardians to {role}"),
    ] {
        run(&statement).await;
    }
    let mut url = url::Url::parse(&site.ground.url).unwrap();
    url.set_username(&role).unwrap();
    url.set_password(Some("geheim")).unwrap();
    let mapping = site.otori.dir().join("told.toml");
    let table = [
        "--table",
        "crm.guardians",
        "--mapping",
        mapping.to_str().unwrap(),
    ];
    site.otori.json(
        &[
            &["source", "add", "half", "--url", url.as_str()],
            &table[..],
        ]
        .concat(),
    );
    let said = refused(&site, "half").await;
    // The first household of the batch may be one without children.
    assert!(
        ["children", "memberships"]
            .iter()
            .any(|table| said.contains(&format!("may not insert into crm.{table}"))),
        "{said}"
    );
    assert!(!said.contains("geheim"), "{said}");

    // With nothing in its way, the same source takes them.
    assert_eq!(
        site.otori.json(&["plant", "shop", "--count", "12"])["planted"],
        12
    );
    site.otori.json(&["unplant", "shop", "--yes"]);
}

/// A related table that takes nothing back would keep half of a batch that failed.
#[tokio::test(flavor = "multi_thread")]
async fn a_related_table_without_transactions_is_refused() {
    let schema = [
        "create table members (id int auto_increment primary key, name varchar(60) not null, tel varchar(20)) default charset utf8mb4",
        "create table facts (id int auto_increment primary key, member int not null, what varchar(40) not null, said varchar(200)) engine = MyISAM",
    ];
    let members: Vec<Vec<String>> = (0..12)
        .map(|at| vec![q(&format!("Ann{at} Bee")), q(&format!("202-555-01{at:02}"))])
        .collect();
    let facts: Vec<Vec<String>> = (0..12)
        .map(|at| vec![(at + 1).to_string(), q("news"), q("yes")])
        .collect();
    let data = [
        insert("members", "name, tel", &members),
        insert("facts", "member, what, said", &facts),
    ];
    let statements = [&schema.map(str::to_owned)[..], &data].concat();
    let site = Site::new(Engine::MySql, &["members", "facts"], &statements).await;
    let mapping = "locale = \"en_US\"\n[columns.name]\nrole = \"name\"\n[columns.tel]\nrole = \"phone\"\n[[related]]\ntable = \"facts\"\n\
                   join = { member = \"members.id\" }\nattribute = \"what\"\nvalue = \"said\"\n[related.columns.news]\nrole = \"other\"\n";
    document(&site.add_told("members", mapping));
    let said = refused(&site, "shop").await;
    assert!(
        said.contains("facts") && said.contains("has no transactions"),
        "{said}"
    );
    // With an engine that has them, ten customers are enough for who says so, and it is told why they are few.
    site.ground.run("alter table facts engine = InnoDB").await;
    let planted = site
        .otori
        .json(&["plant", "shop", "--count", "2", "--force"]);
    assert_eq!(planted["planted"], 2);
    assert!(
        planted["notes"].to_string().contains("more than 1 %"),
        "{planted}"
    );
    let verified = site.verified();
    assert_eq!(verified["intact"], 2, "{verified}");
    site.otori.json(&["unplant", "shop", "--yes"]);
}
