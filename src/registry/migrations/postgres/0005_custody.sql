-- Each source's canaries are sealed under a key of the source's own, which is kept here, sealed in its
-- turn; without it (null) they are forgotten. A request waits for a second person.

create table source_key (
    source text primary key references source (name),
    sealed bytea,
    forgotten_at bigint
);

create table request (
    id bigint generated always as identity primary key,
    act text not null,
    subject text not null,
    why text,
    asked_by text not null,
    asked_at bigint not null,
    expires_at bigint not null,
    approved_by text,
    approved_at bigint,
    used_at bigint
);
