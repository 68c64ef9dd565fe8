-- A canary's rows change as customers' rows do, and an old list bears an old version. The planted one is
-- here too once there is another; what was committed to at planting stays with the canary.

create table canary_version (
    canary text not null references canary (id),
    version integer not null,
    -- live, pending (registered before it is written), or void (it never was)
    state text not null,
    at integer not null,
    sealed blob not null,
    primary key (canary, version)
) strict;
