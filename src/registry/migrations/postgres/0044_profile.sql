-- What a source's customers are like, in sums with the rare ones folded: the last look at it. Sealed, since it tells of
-- the operator's trade, though of no person.

create table source_profile (
    source text primary key references source (name),
    taken_at bigint not null,
    sealed bytea not null
);
