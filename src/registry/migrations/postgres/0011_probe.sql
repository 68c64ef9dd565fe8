-- From which network a canary's address was checked without a message, under a lasting keyed tag: several
-- canaries checked from one network are an alarm.

create table probe (
    sighting bigint primary key references sighting (id),
    network bytea not null,
    canary text not null references canary (id),
    at bigint not null
);
create index probe_by_network on probe (network, at);
