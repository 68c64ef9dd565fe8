-- Each source's canaries are sealed under a key of the source's own, which is kept here, sealed in its
-- turn; without it (null) they are forgotten. A request waits for a second person.

create table source_key (
    source text primary key references source (name),
    sealed blob,
    forgotten_at integer
) strict;

create table request (
    id integer primary key autoincrement,
    act text not null,
    subject text not null,
    why text,
    asked_by text not null,
    asked_at integer not null,
    expires_at integer not null,
    approved_by text,
    approved_at integer,
    used_at integer
) strict;
