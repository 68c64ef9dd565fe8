-- From which network a canary's address was checked without a message, under a lasting keyed tag: several
-- canaries checked from one network are an alarm.

create table probe (
    sighting integer primary key references sighting (id),
    network blob not null,
    canary text not null references canary (id),
    at integer not null
) strict;
create index probe_by_network on probe (network, at);
