-- Holds, and a past that can be asked.

-- What the operator holds: "**" (all), "site/NAME", a key, the beginning of one ("edge"), or a pattern. "until_us" 0: until somebody takes
-- it away.
CREATE TABLE hold (
	target TEXT PRIMARY KEY NOT NULL,
	who TEXT NOT NULL,
	reason TEXT NOT NULL,
	since_us INTEGER NOT NULL,
	until_us INTEGER NOT NULL
) WITHOUT ROWID;

-- Revisions that may do what is held otherwise: take away all that is on a site.
CREATE TABLE approval (
	revision TEXT PRIMARY KEY NOT NULL,
	who TEXT NOT NULL,
	wall_us INTEGER NOT NULL
) WITHOUT ROWID;

-- "state": of a revision or an operation; "duration_us": of what has ended, else NULL.
ALTER TABLE event ADD COLUMN state TEXT;
ALTER TABLE event ADD COLUMN duration_us INTEGER;

-- When its author says that it was made, when it was first seen here, when it had first converged (0: not yet); and its operations that
-- completed, by what they did; "repairs": of any kind, for drift.
ALTER TABLE revision ADD COLUMN author_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE revision ADD COLUMN seen_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE revision ADD COLUMN converged_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE revision ADD COLUMN creates INTEGER NOT NULL DEFAULT 0;
ALTER TABLE revision ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE revision ADD COLUMN replaces INTEGER NOT NULL DEFAULT 0;
ALTER TABLE revision ADD COLUMN removes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE revision ADD COLUMN repairs INTEGER NOT NULL DEFAULT 0;
