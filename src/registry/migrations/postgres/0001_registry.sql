-- Whatever could name a canary is sealed; what is looked up by content has a keyed tag.
-- Times are microseconds since 1970-01-01 UTC.

create table meta (
    name text primary key,
    value bytea not null
);

create table contact_point (
    id bigint generated always as identity primary key,
    kind text not null,
    identity bytea not null unique,
    sealed bytea not null,
    cap_per_source bigint,
    added_at bigint not null
);

create table source (
    name text primary key,
    sealed bytea not null,
    added_at bigint not null
);

create table batch (
    id text primary key,
    source text not null references source (name),
    number bigint not null,
    state text not null,
    planted_at bigint not null,
    unplanted_at bigint,
    rows_at bigint not null,
    unique (source, number)
);

create table canary (
    seq bigint generated always as identity primary key,
    id text not null unique,
    batch text not null references batch (id),
    sealed bytea not null
);
create index canary_by_batch on canary (batch);

create table canary_point (
    canary text not null references canary (id),
    point bigint not null references contact_point (id),
    primary key (canary, point)
);
create index canary_by_point on canary_point (point);

create table canary_mark (
    mark text not null,
    tag bytea not null,
    canary text not null references canary (id),
    primary key (mark, tag, canary)
);

create table message (
    id bigint generated always as identity primary key,
    at bigint not null,
    channel text not null,
    same_as bytea unique,
    repeats bigint not null default 0,
    envelope bytea not null,
    raw bytea not null,
    settled bigint not null default 0
);
create index message_unsettled on message (id) where settled = 0;

create table incident (
    id bigint generated always as identity primary key,
    source text not null references source (name),
    state text not null,
    opened_at bigint not null,
    last_at bigint not null
);
create unique index incident_open on incident (source) where state = 'open';

create table sighting (
    id bigint generated always as identity primary key,
    message bigint not null references message (id),
    at bigint not null,
    channel text not null,
    kind text not null,
    source text references source (name),
    batch text references batch (id),
    canary text references canary (id),
    actor bytea not null,
    incident bigint references incident (id)
);
create index sighting_by_time on sighting (at);
create index sighting_by_source on sighting (source, at);
create index sighting_by_message on sighting (message);
create index sighting_by_incident on sighting (incident, canary);

create table alert (
    id bigint generated always as identity primary key,
    incident bigint not null references incident (id),
    sighting bigint not null references sighting (id),
    due_at bigint not null,
    attempts bigint not null default 0,
    sent_at bigint,
    failure text
);
create unique index alert_pending on alert (incident) where sent_at is null;
create index alert_due on alert (due_at) where sent_at is null;
