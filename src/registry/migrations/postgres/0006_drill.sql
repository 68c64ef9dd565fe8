-- Drills. An alert may tell of a drill instead of an incident.

alter table alert alter column incident drop not null;
alter table alert alter column sighting drop not null;

create table drill (
    id bigint generated always as identity primary key,
    channel text not null,
    source text not null references source (name),
    canary text not null references canary (id),
    scheduled bigint not null,
    state text not null,
    sent_at bigint not null,
    due_at bigint not null,
    accepted_at bigint,
    seen_at bigint,
    sighting bigint references sighting (id),
    alert bigint references alert (id),
    alerted_at bigint,
    why text
);
create index drill_by_source on drill (source, channel, sent_at);
create index drill_awaited on drill (channel, due_at) where accepted_at is null;
create index drill_waiting on drill (due_at) where state = 'waiting';
create index drill_by_alert on drill (alert);
