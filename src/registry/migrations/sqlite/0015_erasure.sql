-- Messages whose content the operator's own rules have destroyed: what is left of each are hashes under a keyed
-- salt, so that whoever still holds a copy can show that it is the one.

create table erasure (
    message integer primary key references message (id),
    at integer not null,
    rule text not null,
    bytes integer not null,
    envelope_hash text not null,
    raw_hash text not null
) strict;
