-- What came of a mailing that was planned, once its time was over. Times are microseconds since 1970 UTC.

create table campaign (
    id bigint generated always as identity primary key,
    source text not null,
    sender text not null,
    planned_at bigint not null,
    -- Its mail should be there by then; what comes after ends_at is none of it.
    until_at bigint not null,
    ends_at bigint not null,
    state text not null,
    judged_at bigint not null,
    -- Canaries that stood in the source, that got it in time, and later.
    canaries bigint not null,
    in_time bigint not null,
    late bigint not null,
    -- Mails that say they are from there, and did not prove it.
    unproven bigint not null,
    -- The chance of so few while all is well, in millionths.
    chance bigint not null,
    alert bigint references alert (id),
    unique (source, sender, planned_at)
);
create index campaign_by_alert on campaign (alert);
