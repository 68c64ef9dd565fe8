-- The evidence log. An entry's text is kept as it was hashed; the head is the Merkle tree's right
-- edge, and the row that writers lock last.

create table evidence (
    seq integer primary key,
    entry text not null,
    hash blob not null
) strict;

create table evidence_head (
    id integer primary key check (id = 1),
    size integer not null,
    frontier blob not null
) strict;

create table checkpoint (
    size integer primary key,
    at integer not null,
    note text not null,
    timestamp_token blob
) strict;
