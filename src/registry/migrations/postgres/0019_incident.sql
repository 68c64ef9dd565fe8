-- Incidents are joined by time and by actor, so a source may have several that are not closed; who joins
-- which is settled under a lock. What an incident's actors are known by stands under lasting keyed tags,
-- each beside the tag of the sender whom it was seen with: what many senders share is nobody's own.

drop index incident_open;
create index incident_by_source on incident (source, id);

create table incident_actor (
    id bigint generated always as identity primary key,
    incident bigint not null references incident (id),
    tag bytea not null,
    sender bytea not null
);
create unique index incident_actor_once on incident_actor (tag, incident, sender);
create index incident_actor_by_incident on incident_actor (incident);

create table incident_note (
    id bigint generated always as identity primary key,
    incident bigint not null references incident (id),
    at bigint not null,
    author text not null,
    kind text not null,
    sealed bytea not null
);
create index incident_note_by_incident on incident_note (incident, id);
