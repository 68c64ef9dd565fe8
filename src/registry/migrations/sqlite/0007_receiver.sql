-- When each running receiver was last alive. This is no evidence yet: it enters the log when a receiver
-- stops, or when another one finds that it has.

create table receiver (
    run text primary key,
    alive_at integer not null
) strict;
