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
