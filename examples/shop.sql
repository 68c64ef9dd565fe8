-- A web shop's customer table, as its application made it. Nobody in it exists: .example addresses,
-- numbers that are never issued, houses beyond the end of their streets.
create table customers (
    id bigint generated always as identity primary key,
    last_name varchar(40) not null,
    first_name varchar(40) not null,
    last_name_kana varchar(40) not null,
    first_name_kana varchar(40) not null,
    email varchar(120) not null unique,
    tel varchar(20) not null,
    zip char(7) not null,
    pref varchar(10) not null,
    city varchar(40) not null,
    address1 varchar(80) not null,
    address2 varchar(80),
    birthday date not null,
    gender char(1) not null check (gender in ('M', 'F')),
    newsletter boolean not null default true,
    created_at timestamp not null default now()
);

-- 600 customers who could exist, joined over two years.
with people as (
    select n,
        (array['佐藤','鈴木','高橋','田中','伊藤','渡辺','山本','中村','小林','加藤','吉田','山田','佐々木','山口','松本','井上','木村','林','斎藤','清水'])[1 + n * 7 % 20] as family,
        (array['サトウ','スズキ','タカハシ','タナカ','イトウ','ワタナベ','ヤマモト','ナカムラ','コバヤシ','カトウ','ヨシダ','ヤマダ','ササキ','ヤマグチ','マツモト','イノウエ','キムラ','ハヤシ','サイトウ','シミズ'])[1 + n * 7 % 20] as family_kana,
        (array['sato','suzuki','takahashi','tanaka','ito','watanabe','yamamoto','nakamura','kobayashi','kato','yoshida','yamada','sasaki','yamaguchi','matsumoto','inoue','kimura','hayashi','saito','shimizu'])[1 + n * 7 % 20] as family_latin,
        (array['花子','陽子','恵子','久美子','由美子','真由美','明美','直美','智子','美穂','誠','健一','隆','浩','修','和彦','剛','大輔','健太','翔太'])[1 + n / 20 % 20] as given,
        (array['ハナコ','ヨウコ','ケイコ','クミコ','ユミコ','マユミ','アケミ','ナオミ','トモコ','ミホ','マコト','ケンイチ','タカシ','ヒロシ','オサム','カズヒコ','ツヨシ','ダイスケ','ケンタ','ショウタ'])[1 + n / 20 % 20] as given_kana,
        case when n / 20 % 20 < 10 then 'F' else 'M' end as gender,
        (array['1000013','1500001','2310023','3300063','4600001','5300001','6008216','8100001'])[1 + n * 3 % 8] as zip,
        (array['東京都','東京都','神奈川県','埼玉県','愛知県','大阪府','京都府','福岡県'])[1 + n * 3 % 8] as pref,
        (array['千代田区','渋谷区','横浜市中区','さいたま市浦和区','名古屋市中区','大阪市北区','京都市下京区','福岡市中央区'])[1 + n * 3 % 8] as city,
        (array['霞が関','神宮前','山下町','高砂','三の丸','梅田','東塩小路町','天神'])[1 + n * 3 % 8] as town
    from generate_series(1, 600) as n
)
insert into customers (last_name, first_name, last_name_kana, first_name_kana, email, tel, zip, pref, city,
                       address1, address2, birthday, gender, newsletter, created_at)
select family, given, family_kana, given_kana,
    family_latin || n || '@customer.example',
    '090-0' || lpad((n * 373 % 1000)::text, 3, '0') || '-' || lpad((n * 7919 % 10000)::text, 4, '0'),
    zip, pref, city,
    town || 90 + n % 9 || '-' || 1 + n * 5 % 30 || '-' || 1 + n * 11 % 25,
    case when n % 5 < 2 then (array['コーポ青葉','第2山田ハイツ','メゾン桜','サンライズ'])[1 + n % 4] || 101 + n % 4 * 100 + n % 9 end,
    date '1950-01-01' + n * 37 % 19000,
    gender, n % 3 > 0,
    timestamp '2024-01-05 09:00' + n * interval '1 day' + n * 977 % 720 * interval '1 minute'
from people
order by n;
