"""The functions of a schema: what must happen in one round trip, planned once per session.

They are plain functions of the database, not prepared statements, so a connection pooler that
gives each transaction another session does no harm. ``{s}`` is the schema. A function that changes
its arguments or its answer gets another name, for older processes may still call it.
"""

from __future__ import annotations

from typing import Final

TAKE: Final = """
CREATE FUNCTION {s}.take(
    a_digest bytea, a_name text, a_owner text, a_until double precision, a_now double precision,
    a_dead text, OUT epoch bigint, OUT head bigint, OUT holder text,
    OUT lease_until double precision
) LANGUAGE plpgsql AS $$
DECLARE held {s}.thread%ROWTYPE;
BEGIN
    -- What a crash of the server takes back here was followed by no append under this lease.
    PERFORM set_config('synchronous_commit', 'off', true);
    LOOP
        SELECT * INTO held FROM {s}.thread t WHERE t.digest = a_digest FOR NO KEY UPDATE;
        EXIT WHEN FOUND;
        INSERT INTO {s}.thread (digest, name, owner, epoch, lease_until)
        VALUES (a_digest, a_name, a_owner, 1, a_until) ON CONFLICT DO NOTHING;
    END LOOP;
    IF held.owner <> a_owner AND held.owner IS DISTINCT FROM a_dead AND held.lease_until > a_now
    THEN
        holder := held.owner;
        lease_until := held.lease_until;
        RETURN;
    END IF;
    epoch := held.epoch + (held.owner IS DISTINCT FROM a_owner)::integer;
    UPDATE {s}.thread t SET owner = a_owner, epoch = take.epoch, lease_until = a_until
    WHERE t.id = held.id;
    -- A statement of its own, begun after the lock was won: it sees what the last owner wrote.
    SELECT coalesce(max(r.seq), 0) INTO head FROM {s}.row r WHERE r.thread = held.id;
END
$$
"""
"""Takes a thread, or says who holds it and until when."""

RENEW: Final = """
CREATE FUNCTION {s}.renew(
    a_digest bytea, a_epoch bigint, a_owner text, a_heir text, a_until double precision
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE {s}.thread t SET owner = a_heir, lease_until = a_until
    WHERE t.digest = a_digest AND t.epoch = a_epoch AND t.owner = a_owner;
    RETURN FOUND;
END
$$
"""
"""Extends a lease or gives it back; says whether it held."""

APPEND: Final = """
CREATE FUNCTION {s}.append(
    -- one of each for every job; the number of its first row, 0 if it has none
    digests bytea[], owners text[], epochs bigint[], firsts bigint[],
    -- one of each for every row, the job first
    row_jobs integer[], seqs bigint[], kinds integer[], runs text[], bodies bytea[],
    -- one of each for every part of a blob
    blob_jobs integer[], hashes bytea[], parts integer[], datas bytea[],
    barrier boolean
) RETURNS integer[] LANGUAGE plpgsql AS $$
DECLARE
    jobs integer[];
    ids bigint[];
    calls boolean;
    id bigint;
BEGIN
    IF barrier AND current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    -- The lock keeps the thread from changing hands until the rows are there; what a statement
    -- after it sees includes what was committed while it waited.
    IF cardinality(digests) = 1 THEN  -- the ordinary case, in the plainest statements
        SELECT t.id, t.awaited > now() INTO id, calls FROM {s}.thread t
        WHERE t.digest = digests[1] AND t.owner = owners[1] AND t.epoch = epochs[1]
        FOR NO KEY UPDATE;
        IF NOT FOUND OR firsts[1] <> 0 AND firsts[1] - 1 <> (
            SELECT coalesce(max(r.seq), 0) FROM {s}.row r WHERE r.thread = id
        ) THEN
            RETURN '{{}}';
        END IF;
        jobs := ARRAY[1];
        ids := ARRAY[id];
    ELSE
        SELECT array_agg(h.job), array_agg(h.id), bool_or(h.calls) INTO jobs, ids, calls FROM (
            SELECT j.job::integer, t.id, t.awaited > now() AS calls
            FROM unnest(digests, owners, epochs) WITH ORDINALITY AS j (digest, owner, epoch, job)
            JOIN {s}.thread t ON t.digest = j.digest AND t.owner = j.owner AND t.epoch = j.epoch
            ORDER BY t.id FOR NO KEY UPDATE OF t
        ) h;
        SELECT array_agg(h.job), array_agg(h.id) INTO jobs, ids
        FROM unnest(jobs, ids) AS h (job, id)
        WHERE firsts[h.job] = 0 OR firsts[h.job] - 1 = (
            SELECT coalesce(max(r.seq), 0) FROM {s}.row r WHERE r.thread = h.id
        );
        IF jobs IS NULL THEN
            RETURN '{{}}';
        END IF;
    END IF;
    IF cardinality(seqs) = 1 AND cardinality(ids) = cardinality(digests) THEN
        INSERT INTO {s}.row (thread, seq, kind, mark, run, body)
        VALUES (
            ids[array_position(jobs, row_jobs[1])], seqs[1], kinds[1],
            CASE WHEN kinds[1] < 16 THEN nextval('{s}.mark') END, runs[1], bodies[1]
        );
    ELSIF cardinality(seqs) > 0 THEN
        INSERT INTO {s}.row (thread, seq, kind, mark, run, body)
        SELECT h.id, r.seq, r.kind, CASE WHEN r.kind < 16 THEN nextval('{s}.mark') END,
            r.run, r.body
        FROM unnest(row_jobs, seqs, kinds, runs, bodies) WITH ORDINALITY
            AS r (job, seq, kind, run, body, place)
        JOIN unnest(jobs, ids) AS h (job, id) ON h.job = r.job ORDER BY r.place;
    END IF;
    IF cardinality(hashes) > 0 THEN
        INSERT INTO {s}.blob (thread, hash, part, data)
        SELECT h.id, b.hash, b.part, b.data
        FROM unnest(blob_jobs, hashes, parts, datas) AS b (job, hash, part, data)
        JOIN unnest(jobs, ids) AS h (job, id) ON h.job = b.job
        ON CONFLICT DO NOTHING;
    END IF;
    IF calls THEN
        PERFORM pg_notify('durably', encode(t.digest, 'hex')) FROM {s}.thread t
        WHERE t.id = ANY (ids) AND t.awaited > now();
    END IF;
    RETURN jobs;
END
$$
"""
"""Appends for several threads; returns the jobs that were accepted, counted from 1."""
