-- The log reads a canary's marks by the canary: without this a batch of n canaries takes n² steps.

create index mark_by_canary on canary_mark (canary);
