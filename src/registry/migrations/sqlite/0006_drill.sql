-- Drills. An alert may tell of a drill instead of an incident.

create table alert_next (
    id integer primary key autoincrement,
    incident integer references incident (id),
    sighting integer references sighting (id),
    due_at integer not null,
    attempts integer not null default 0,
    sent_at integer,
    failure text
) strict;
insert into alert_next (id, incident, sighting, due_at, attempts, sent_at, failure)
    select id, incident, sighting, due_at, attempts, sent_at, failure from alert;
drop table alert;
alter table alert_next rename to alert;
create unique index alert_pending on alert (incident) where sent_at is null;
create index alert_due on alert (due_at) where sent_at is null;

create table drill (
    id integer primary key autoincrement,
    channel text not null,
    source text not null references source (name),
    canary text not null references canary (id),
    scheduled integer not null,
    state text not null,
    sent_at integer not null,
    due_at integer not null,
    accepted_at integer,
    seen_at integer,
    sighting integer references sighting (id),
    alert integer references alert (id),
    alerted_at integer,
    why text
) strict;
create index drill_by_source on drill (source, channel, sent_at);
create index drill_awaited on drill (channel, due_at) where accepted_at is null;
create index drill_waiting on drill (due_at) where state = 'waiting';
create index drill_by_alert on drill (alert);
