-- What came of a mailing that was planned, once its time was over. Times are microseconds since 1970 UTC.

create table campaign (
    id integer primary key autoincrement,
    source text not null,
    sender text not null,
    planned_at integer not null,
    -- Its mail should be there by then; what comes after ends_at is none of it.
    until_at integer not null,
    ends_at integer not null,
    state text not null,
    judged_at integer not null,
    -- Canaries that stood in the source, that got it in time, and later.
    canaries integer not null,
    in_time integer not null,
    late integer not null,
    -- Mails that say they are from there, and did not prove it.
    unproven integer not null,
    -- The chance of so few while all is well, in millionths.
    chance integer not null,
    alert integer references alert (id),
    unique (source, sender, planned_at)
) strict;
create index campaign_by_alert on campaign (alert);
