-- The evidence log. An entry's text is kept as it was hashed; the head is the Merkle tree's right
-- edge, and the row that writers lock last.

create table evidence (
    seq bigint primary key,
    entry text not null,
    hash bytea not null
);

create table evidence_head (
    id bigint primary key check (id = 1),
    size bigint not null,
    frontier bytea not null
);

create table checkpoint (
    size bigint primary key,
    at bigint not null,
    note text not null,
    timestamp_token bytea
);
