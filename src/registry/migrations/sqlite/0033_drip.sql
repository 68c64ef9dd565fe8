-- A source's drip: canaries that arrive one by one. What was set is evidence; when the next one comes, and
-- what keeps it from coming, is not. Times are microseconds since 1970 UTC.

create table drip (
    source text primary key references source (name),
    -- Arrivals a week, in thousandths.
    per_mille integer not null,
    -- When canaries come, as JSON: shares of the hours of a week, and what they rest on.
    intensity text not null,
    learnt_at integer not null,
    set_at integer not null,
    until_at integer,
    stopped_at integer,
    -- The next arrival; null where none comes any more.
    next_at integer,
    -- Arrivals that were missed.
    owed integer not null default 0,
    -- The batch of an arrival that was begun, and of which nobody has noted the end.
    pending text,
    last_at integer,
    last_batch text,
    arrived integer not null default 0,
    -- Tries that have failed in a row, since when, and why the last did.
    failures integer not null default 0,
    failing_since integer,
    why text,
    -- The alert that tells of it.
    alert integer references alert (id)
) strict;

-- Which drip an alert tells of.
create table drip_alert (
    alert integer primary key references alert (id),
    source text not null references source (name)
) strict;
