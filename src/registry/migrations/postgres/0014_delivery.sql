-- One alert to several places, each of which takes it or does not by itself. From here on an alert's `sent_at`
-- is when it was handed on to the places; what is claimed is being sent by some receiver.

create table delivery (
    id bigint generated always as identity primary key,
    alert bigint not null references alert (id),
    place text not null,
    incident bigint references incident (id),
    sighting bigint references sighting (id),
    due_at bigint not null,
    attempts bigint not null default 0,
    failing_since bigint,
    sent_at bigint,
    dead_at bigint,
    failure text,
    claimed_until bigint not null default 0
);
create unique index delivery_open on delivery (incident, place) where sent_at is null and dead_at is null;
create index delivery_due on delivery (place, due_at) where sent_at is null and dead_at is null;
create index delivery_by_incident on delivery (incident, place, sent_at);
create index delivery_by_alert on delivery (alert);
