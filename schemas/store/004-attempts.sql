-- What failed for good: digests of what was to be done and of what was there, so that it is not tried again after a restart either.
ALTER TABLE operation ADD COLUMN wanted TEXT;
ALTER TABLE operation ADD COLUMN seen TEXT;
