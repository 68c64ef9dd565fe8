-- Incidents are joined by time and by actor, so a source may have several that are not closed; who joins
-- which is settled under a lock. What an incident's actors are known by stands under lasting keyed tags,
-- each beside the tag of the sender whom it was seen with: what many senders share is nobody's own.

drop index incident_open;
create index incident_by_source on incident (source, id);

create table incident_actor (
    id integer primary key autoincrement,
    incident integer not null references incident (id),
    tag blob not null,
    sender blob not null
) strict;
create unique index incident_actor_once on incident_actor (tag, incident, sender);
create index incident_actor_by_incident on incident_actor (incident);

create table incident_note (
    id integer primary key autoincrement,
    incident integer not null references incident (id),
    at integer not null,
    author text not null,
    kind text not null,
    sealed blob not null
) strict;
create index incident_note_by_incident on incident_note (incident, id);
