-- When each running receiver was last alive, under a keyed tag of both. This enters the log when a receiver
-- stops, or when another one finds that it has.

create table receiver (
    run text primary key,
    alive_at bigint not null,
    tag bytea not null
);
