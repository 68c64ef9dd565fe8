//! What a column's name and comment say.

use super::super::fold;

/// What a header is about, before it is known whose and in which script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    Name,
    Family,
    Given,
    Postcode,
    Address,
    Address1,
    Address2,
    Region,
    City,
    Town,
    Street,
    Block,
    Building,
    Phone,
    Mobile,
    Email,
    Birth,
    Age,
    Sex,
    Code,
    Created,
    Updated,
    /// Something that is surely not about the person (company name, login name, a flag).
    Foreign,
}

/// What a header says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub topic: Option<Topic>,
    /// It says kana.
    pub kana: bool,
    /// It says child.
    pub child: bool,
    /// It says guardian.
    pub guardian: bool,
}

/// Japanese words, found anywhere in a folded header; the first that is found counts.
const JAPANESE: &[(Topic, &[&str])] = &[
    (
        Topic::Foreign,
        &[
            "会社",
            "法人",
            "勤務先",
            "学校名",
            "校名",
            "店名",
            "店舗",
            "商品",
            "品名",
            "コース名",
            "ユーザー名",
            "ログイン",
            "パスワード",
            "区分",
            "フラグ",
            "件数",
            "回数",
            "金額",
            "担当",
            "緊急",
        ],
    ),
    (Topic::Email, &["メール", "メアド"]),
    (Topic::Postcode, &["郵便", "〒"]),
    (Topic::Mobile, &["携帯", "スマホ"]),
    (Topic::Phone, &["電話", "連絡先", "テル"]),
    (Topic::Birth, &["生年月日", "誕生日", "出生日"]),
    (Topic::Age, &["年齢", "年令"]),
    (Topic::Sex, &["性別"]),
    (Topic::Updated, &["更新日", "変更日", "修正日", "更新時"]),
    (
        Topic::Created,
        &["登録日", "作成日", "入会日", "申込日", "登録時", "作成時"],
    ),
    (Topic::Region, &["都道府県"]),
    (Topic::City, &["市区町村", "市町村", "市区郡"]),
    (
        Topic::Building,
        &["建物", "マンション", "ビル名", "部屋", "アパート"],
    ),
    (Topic::Address2, &["住所2", "住所(2)", "住所二"]),
    (Topic::Address1, &["住所1", "住所(1)", "住所一"]),
    (
        Topic::Street,
        &["町名番地", "町域番地", "番地以降", "町名・番地", "町村番地"],
    ),
    (Topic::Block, &["番地", "丁目"]),
    (Topic::Town, &["町域", "町名"]),
    (Topic::Address, &["住所", "所在地", "送付先"]),
    (
        Topic::Code,
        &[
            "会員番号",
            "顧客番号",
            "会員コード",
            "顧客コード",
            "会員id",
            "顧客id",
            "お客様番号",
            "番号",
            "コード",
        ],
    ),
    (Topic::Family, &["姓", "苗字", "名字"]),
    (
        Topic::Name,
        &[
            "氏名",
            "名前",
            "顧客名",
            "会員名",
            "宛名",
            "フルネーム",
            "生徒名",
            "児童名",
            "園児名",
            "保護者名",
            "子名",
            "子供名",
            "お子様名",
            "お客様名",
            "契約者名",
        ],
    ),
    (Topic::Family, &["氏"]),
];

/// Latin words, as whole words or as pairs of words run together.
const LATIN: &[(Topic, &[&str])] = &[
    (
        Topic::Foreign,
        &[
            "company",
            "corp",
            "shop",
            "store",
            "product",
            "school",
            "username",
            "login",
            "password",
            "passwd",
            "hash",
            "token",
            "file",
            "campaign",
            "nickname",
            "course",
            "plan",
            "emergency",
            "ip",
            "url",
        ],
    ),
    (
        Topic::Email,
        &["email", "mail", "mailaddress", "emailaddress", "mailaddr"],
    ),
    (
        Topic::Postcode,
        &[
            "zip",
            "zipcode",
            "postal",
            "postcode",
            "postalcode",
            "yubin",
            "yuubin",
            "yubinbango",
            "plz",
            "zip5",
        ],
    ),
    (
        Topic::Mobile,
        &[
            "mobile",
            "cell",
            "cellphone",
            "mobilephone",
            "keitai",
            "mobiletel",
        ],
    ),
    (
        Topic::Phone,
        &[
            "phone",
            "tel",
            "telephone",
            "telno",
            "denwa",
            "phonenumber",
            "landline",
            "tel1",
            "phone1",
            "homephone",
            "telnumber",
        ],
    ),
    (
        Topic::Birth,
        &[
            "birth",
            "birthday",
            "birthdate",
            "dob",
            "bday",
            "dateofbirth",
            "seinengappi",
            "tanjobi",
            "born",
            "birthymd",
        ],
    ),
    (Topic::Age, &["age", "nenrei"]),
    (Topic::Sex, &["sex", "gender", "seibetsu", "seibetu"]),
    (
        Topic::Updated,
        &[
            "updated",
            "modified",
            "updatedat",
            "lastmodified",
            "updatetime",
            "updatedate",
            "upddate",
            "koushinbi",
            "changed",
            "update",
        ],
    ),
    (
        Topic::Created,
        &[
            "created",
            "createdat",
            "registered",
            "inserted",
            "joined",
            "signup",
            "createtime",
            "createdate",
            "insdate",
            "regdate",
            "tourokubi",
            "registdate",
            "enrolled",
            "since",
            "membersince",
        ],
    ),
    (
        Topic::Region,
        &[
            "prefecture",
            "pref",
            "state",
            "province",
            "todofuken",
            "todouhuken",
            "todoufuken",
            "region",
        ],
    ),
    (
        Topic::City,
        &[
            "city",
            "shikuchoson",
            "municipality",
            "sikutyouson",
            "locality",
        ],
    ),
    (
        Topic::Building,
        &["building", "bldg", "tatemono", "mansion", "buildingname"],
    ),
    (
        Topic::Address2,
        &[
            "address2",
            "addr2",
            "jusho2",
            "juusho2",
            "addressline2",
            "street2",
            "apartment",
            "apt",
            "unit",
            "suite",
            "addrline2",
            "address02",
            "line2",
        ],
    ),
    (
        Topic::Address1,
        &[
            "address1",
            "addr1",
            "jusho1",
            "juusho1",
            "addressline1",
            "street1",
            "addrline1",
            "address01",
            "line1",
        ],
    ),
    (Topic::Street, &["street", "streetaddress", "streetname"]),
    (Topic::Block, &["banchi", "block", "chome"]),
    (Topic::Town, &["town", "choiki", "chomei"]),
    (
        Topic::Address,
        &[
            "address",
            "addr",
            "jusho",
            "juusho",
            "jyusyo",
            "adress",
            "fulladdress",
        ],
    ),
    (
        Topic::Family,
        &[
            "lastname",
            "surname",
            "familyname",
            "sei",
            "myoji",
            "lname",
            "lastnm",
            "familynm",
        ],
    ),
    (
        Topic::Given,
        &[
            "firstname",
            "givenname",
            "mei",
            "fname",
            "forename",
            "firstnm",
            "givennm",
        ],
    ),
    (
        Topic::Name,
        &[
            "name",
            "fullname",
            "shimei",
            "simei",
            "namae",
            "onamae",
            "nm",
            "customername",
            "membername",
            "namekanji",
            "kanjiname",
        ],
    ),
    (
        Topic::Code,
        &[
            "customerno",
            "memberno",
            "membercode",
            "customercode",
            "accountno",
            "customernumber",
            "membernumber",
            "code",
            "no",
            "number",
            "ref",
            "accountnumber",
            "studentno",
            "memberid",
            "customerid",
            "custno",
            "kaiinbango",
            "barcode",
        ],
    ),
];

const KANA: [&str; 10] = [
    "カナ",
    "フリガナ",
    "ふりがな",
    "かな",
    "kana",
    "furigana",
    "yomi",
    "ヨミ",
    "読み",
    "ruby",
];
const CHILD: [&str; 16] = [
    "お子",
    "子供",
    "子ども",
    "こども",
    "児童",
    "生徒",
    "園児",
    "子氏名",
    "子名",
    "子カナ",
    "子生年",
    "子性別",
    "受講生",
    "塾生",
    "学生",
    "会員(子",
];
const CHILD_LATIN: [&str; 9] = [
    "child", "kid", "student", "pupil", "ko", "kodomo", "seito", "learner", "children",
];
const GUARDIAN: [&str; 6] = ["保護者", "親権者", "親氏名", "父母", "契約者", "親名"];
const GUARDIAN_LATIN: [&str; 7] = [
    "guardian", "parent", "hogosha", "hogosya", "mother", "father", "oya",
];
/// Words that make any column a reference or a flag, whatever stands before them.
const FOREIGN_ENDS: [&str; 14] = [
    "id", "cd", "flag", "flg", "type", "kbn", "count", "status", "verified", "kubun", "opt",
    "optin", "key", "kind",
];

/// Words of a header: at underscores and other marks, and where camelCase steps up.
fn words(header: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut small = false;
    for c in header.chars() {
        let separator = !c.is_alphanumeric();
        if separator || (small && c.is_ascii_uppercase()) {
            words.push(String::new());
        }
        if !separator && let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
        small = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Reads a column's name or its comment.
pub(super) fn read(header: &str) -> Header {
    let folded = fold(header);
    if folded.is_empty() {
        return Header::default();
    }
    let words = words(header);
    let has = |list: &[&str]| {
        words
            .iter()
            .any(|word| list.contains(&word.trim_end_matches(|c: char| c.is_ascii_digit())))
    };
    let within = |list: &[&str]| list.iter().any(|word| folded.contains(word));
    // セイ and メイ are a family and a given name in kana.
    let short_kana = ["セイ", "メイ", "せい", "めい"]
        .iter()
        .find(|word| folded.ends_with(**word) || folded.starts_with(**word))
        .copied();
    let kana = within(&KANA) || short_kana.is_some();
    let japanese = JAPANESE
        .iter()
        .find(|(_, list)| within(list))
        .map(|(topic, _)| *topic);
    let mut topic = match short_kana {
        Some("セイ" | "せい") => Some(Topic::Family),
        Some(_) => Some(Topic::Given),
        None => japanese.or_else(|| latin(&words, header)),
    };
    // 名 alone, or behind the person it belongs to, is a given name.
    let given = ["名(", "名カナ", "名_"]
        .iter()
        .any(|start| folded.starts_with(start))
        || ["の名", "_名", " 名"]
            .iter()
            .any(|end| folded.ends_with(end));
    if topic.is_none() && (folded == "名" || given) {
        topic = Some(Topic::Given);
    }
    // フリガナ alone is the reading of the name.
    if topic.is_none() && kana {
        topic = Some(Topic::Name);
    }
    Header {
        topic,
        kana,
        child: within(&CHILD) || has(&CHILD_LATIN),
        guardian: within(&GUARDIAN) || has(&GUARDIAN_LATIN),
    }
}

fn latin(words: &[String], header: &str) -> Option<Topic> {
    if !header.is_ascii() || words.is_empty() {
        return None;
    }
    // family_size and last_login are no names; family and last alone are.
    let mut alone = words.iter().filter(|word| {
        !KANA.contains(&word.as_str())
            && !CHILD_LATIN.contains(&word.as_str())
            && !GUARDIAN_LATIN.contains(&word.as_str())
    });
    let mut found = match (alone.next().map(String::as_str), alone.next()) {
        (Some("family" | "last"), None) => Some(Topic::Family),
        (Some("given" | "first"), None) => Some(Topic::Given),
        _ => None,
    };
    for (topic, list) in LATIN {
        // Two words of a header may be one of the list: zip_code, last_name, address_1.
        let pairs = words.windows(2).map(|pair| pair.concat());
        let triples = words.windows(3).map(|triple| triple.concat());
        if words
            .iter()
            .cloned()
            .chain(pairs)
            .chain(triples)
            .any(|word| list.contains(&word.as_str()))
        {
            found = Some(*topic);
            break;
        }
    }
    let last = words.last()?.as_str();
    let reference = FOREIGN_ENDS.contains(&last) && words.len() > 1;
    match found {
        Some(Topic::Code) | None => found,
        Some(_) if reference => Some(Topic::Foreign),
        // pref_code and city_code, but not zip_code.
        Some(topic) if last == "code" && topic != Topic::Postcode => Some(Topic::Foreign),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read() {
        for (header, topic) in [
            ("email", Topic::Email),
            ("メールアドレス", Topic::Email),
            ("E-mail", Topic::Email),
            ("zip_code", Topic::Postcode),
            ("郵便番号", Topic::Postcode),
            ("postalCode", Topic::Postcode),
            ("TEL", Topic::Phone),
            ("電話番号", Topic::Phone),
            ("携帯電話番号", Topic::Mobile),
            ("mobile_phone", Topic::Mobile),
            ("生年月日", Topic::Birth),
            ("dateOfBirth", Topic::Birth),
            ("性別", Topic::Sex),
            ("住所１", Topic::Address1),
            ("住所２", Topic::Address2),
            ("address_line_2", Topic::Address2),
            ("addr1", Topic::Address1),
            ("住所", Topic::Address),
            ("建物名・部屋番号", Topic::Building),
            ("都道府県", Topic::Region),
            ("市区町村", Topic::City),
            ("last_name", Topic::Family),
            ("FirstName", Topic::Given),
            ("姓", Topic::Family),
            ("名", Topic::Given),
            ("セイ", Topic::Family),
            ("メイ", Topic::Given),
            ("氏名", Topic::Name),
            ("お名前", Topic::Name),
            ("shimei", Topic::Name),
            ("フリガナ", Topic::Name),
            ("name_kana", Topic::Name),
            ("会員番号", Topic::Code),
            ("member_no", Topic::Code),
            ("created_at", Topic::Created),
            ("更新日時", Topic::Updated),
            ("company_name", Topic::Foreign),
            ("pref_id", Topic::Foreign),
            ("city_code", Topic::Foreign),
            ("email_verified", Topic::Foreign),
            ("user_name", Topic::Foreign),
            ("state", Topic::Region),
            ("保護者氏名", Topic::Name),
            ("parent_last", Topic::Family),
            ("given", Topic::Given),
            ("お子様氏名（カナ）", Topic::Name),
            ("番地", Topic::Block),
            ("町名・番地", Topic::Street),
        ] {
            assert_eq!(read(header).topic, Some(topic), "{header}");
        }
        for header in [
            "",
            "col3",
            "f7",
            "備考",
            "件名",
            "family_size",
            "points",
            "memo",
            "status",
        ] {
            assert_eq!(read(header).topic, None, "{header}");
        }
        assert!(
            read("お子様氏名（カナ）").child
                && read("お子様氏名（カナ）").kana
                && !read("電子メール").child
        );
        assert!(
            read("child_name").child
                && read("studentName").child
                && read("保護者氏名").guardian
                && read("parent_tel").guardian
        );
    }
}
