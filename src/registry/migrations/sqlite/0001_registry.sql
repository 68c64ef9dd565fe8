-- Whatever could name a canary is sealed; what is looked up by content has a keyed tag.
-- Times are microseconds since 1970-01-01 UTC.

create table meta (
    name text primary key,
    value blob not null
) strict;

create table contact_point (
    id integer primary key autoincrement,
    kind text not null,
    identity blob not null unique,
    sealed blob not null,
    cap_per_source integer,
    added_at integer not null
) strict;

create table source (
    name text primary key,
    sealed blob not null,
    added_at integer not null
) strict;

create table batch (
    id text primary key,
    source text not null references source (name),
    number integer not null,
    state text not null,
    planted_at integer not null,
    unplanted_at integer,
    rows_at integer not null,
    unique (source, number)
) strict;

create table canary (
    seq integer primary key autoincrement,
    id text not null unique,
    batch text not null references batch (id),
    sealed blob not null
) strict;
create index canary_by_batch on canary (batch);

create table canary_point (
    canary text not null references canary (id),
    point integer not null references contact_point (id),
    primary key (canary, point)
) strict, without rowid;
create index canary_by_point on canary_point (point);

create table canary_mark (
    mark text not null,
    tag blob not null,
    canary text not null references canary (id),
    primary key (mark, tag, canary)
) strict, without rowid;

create table message (
    id integer primary key autoincrement,
    at integer not null,
    channel text not null,
    same_as blob unique,
    repeats integer not null default 0,
    envelope blob not null,
    raw blob not null,
    settled integer not null default 0
) strict;
create index message_unsettled on message (id) where settled = 0;

create table incident (
    id integer primary key autoincrement,
    source text not null references source (name),
    state text not null,
    opened_at integer not null,
    last_at integer not null
) strict;
create unique index incident_open on incident (source) where state = 'open';

create table sighting (
    id integer primary key autoincrement,
    message integer not null references message (id),
    at integer not null,
    channel text not null,
    kind text not null,
    source text references source (name),
    batch text references batch (id),
    canary text references canary (id),
    actor blob not null,
    incident integer references incident (id)
) strict;
create index sighting_by_time on sighting (at);
create index sighting_by_source on sighting (source, at);
create index sighting_by_message on sighting (message);
create index sighting_by_incident on sighting (incident, canary);

create table alert (
    id integer primary key autoincrement,
    incident integer not null references incident (id),
    sighting integer not null references sighting (id),
    due_at integer not null,
    attempts integer not null default 0,
    sent_at integer,
    failure text
) strict;
create unique index alert_pending on alert (incident) where sent_at is null;
create index alert_due on alert (due_at) where sent_at is null;
