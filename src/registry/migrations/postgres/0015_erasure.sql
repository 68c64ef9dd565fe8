-- Messages whose content the operator's own rules have destroyed: what is left of each are hashes under a keyed
-- salt, so that whoever still holds a copy can show that it is the one.

create table erasure (
    message bigint primary key references message (id),
    at bigint not null,
    rule text not null,
    bytes bigint not null,
    envelope_hash text not null,
    raw_hash text not null
);
