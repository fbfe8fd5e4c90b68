import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type BackoffPolicy,
  DEFAULT_BACKOFF,
  decide,
  type UnitEffect,
  type UnitEvent,
  type UnitState,
} from './lifecycle.ts';

const policy: BackoffPolicy = { initialMs: 100, maxMs: 1000, circuitFailures: 3, circuitMs: 15_000 };

const crashed: UnitEvent = { t: 'exited', reason: 'crashed:SIGSEGV', healthy: false };
const crashedHealthy: UnitEvent = { t: 'exited', reason: 'crashed:1', healthy: true };
const idle: UnitEvent = { t: 'stop', reason: 'idle' };
const stop: UnitEvent = { t: 'stop', reason: 'operator' };
const restart: UnitEvent = { t: 'restart', reason: 'operator' };
const ensure: UnitEvent = { t: 'ensure' };
const launched: UnitEvent = { t: 'launched' };
const launchFailed: UnitEvent = { t: 'launch_failed' };
const unhealthy: UnitEvent = { t: 'unhealthy' };
const stopped: UnitEvent = { t: 'stopped' };
const backoffElapsed: UnitEvent = { t: 'backoff_elapsed' };
const halfOpen: UnitEvent = { t: 'half_open' };
const taken: UnitEvent = { t: 'taken' };
const used: UnitEvent = { t: 'used' };
const close: UnitEvent = { t: 'close' };
const ends = [crashed, crashedHealthy, unhealthy, launchFailed, stopped];
const events = [...ends, ensure, launched, taken, used, idle, stop, restart, backoffElapsed, halfOpen, close];

const launch: UnitEffect = { t: 'launch' };
const grant: UnitEffect = { t: 'grant' };
const refuse: UnitEffect = { t: 'refuse' };

const stoppedState: UnitState = { t: 'stopped', crashes: 1, failures: 2 };
const backingOff: UnitState = { t: 'backing_off', crashes: 1, failures: 1, relaunch: false };
const starting: UnitState = { t: 'starting', crashes: 1, failures: 1 };
const ready: UnitState = { t: 'ready', crashes: 1 };
const takenState: UnitState = { t: 'taken', relaunch: false };
const stopping: UnitState = { t: 'stopping', reason: 'idle', relaunch: false, crashes: 1 };
const failed: UnitState = { t: 'failed', failures: 3 };
const closed: UnitState = { t: 'closed' };
const fresh: UnitState = { t: 'stopped', crashes: 0, failures: 0 };
const anew: UnitState = { t: 'starting', crashes: 0, failures: 0 };

type Row = [event: UnitEvent, next: UnitState, effects: UnitEffect[]];

/** What each state makes of the events that mean something in it; every other event must change nothing. */
const tables: { state: UnitState; rows: Row[]; unlisted?: UnitEvent[] }[] = [
  {
    state: stoppedState,
    rows: [
      [ensure, { t: 'starting', crashes: 1, failures: 2 }, [launch]],
      [restart, { t: 'starting', crashes: 1, failures: 2 }, [launch]],
      [close, closed, [refuse]],
    ],
  },
  {
    state: backingOff,
    rows: [
      [ensure, { ...backingOff, relaunch: true }, []],
      [backoffElapsed, { t: 'stopped', crashes: 1, failures: 1 }, []],
      [restart, anew, [launch]],
      [stop, fresh, [refuse]],
      [idle, fresh, [refuse]],
      [close, closed, [refuse]],
    ],
  },
  {
    state: { ...backingOff, relaunch: true },
    rows: [
      [backoffElapsed, { t: 'starting', crashes: 1, failures: 1 }, [launch]],
      [restart, anew, [launch]],
      [stop, fresh, [refuse]],
      [idle, fresh, [refuse]],
      [close, closed, [refuse]],
    ],
  },
  {
    state: starting,
    rows: [
      [launched, ready, [grant]],
      [
        launchFailed,
        { t: 'backing_off', crashes: 1, failures: 2, relaunch: false },
        [refuse, { t: 'back_off', delayMs: 200 }],
      ],
      [close, closed, [refuse, { t: 'stop_instance', reason: 'shutdown' }]],
    ],
    unlisted: [stop, idle],
  },
  {
    state: ready,
    rows: [
      [ensure, ready, [grant]],
      [taken, takenState, []],
      [crashed, { t: 'backing_off', crashes: 2, failures: 0, relaunch: true }, [{ t: 'back_off', delayMs: 100 }]],
      [crashedHealthy, { t: 'starting', crashes: 1, failures: 0 }, [launch]],
      [idle, { ...stopping, crashes: 0 }, [{ t: 'stop_instance', reason: 'idle' }]],
      [stop, { ...stopping, reason: 'operator', crashes: 0 }, [{ t: 'stop_instance', reason: 'operator' }]],
      [
        restart,
        { ...stopping, reason: 'operator', relaunch: true, crashes: 0 },
        [{ t: 'stop_instance', reason: 'operator' }],
      ],
      [close, closed, [refuse, { t: 'stop_instance', reason: 'shutdown' }]],
    ],
    unlisted: [unhealthy],
  },
  {
    state: takenState,
    rows: [
      [ensure, { ...takenState, relaunch: true }, []],
      [used, { ...stopping, reason: 'used', crashes: 0 }, [{ t: 'stop_instance', reason: 'used' }]],
      [unhealthy, { ...stopping, reason: 'unhealthy', crashes: 0 }, [{ t: 'stop_instance', reason: 'unhealthy' }]],
      [crashed, fresh, []],
      [crashedHealthy, fresh, []],
      [idle, { ...stopping, crashes: 0 }, [refuse, { t: 'stop_instance', reason: 'idle' }]],
      [stop, { ...stopping, reason: 'operator', crashes: 0 }, [refuse, { t: 'stop_instance', reason: 'operator' }]],
      [
        restart,
        { ...stopping, reason: 'operator', relaunch: true, crashes: 0 },
        [{ t: 'stop_instance', reason: 'operator' }],
      ],
      [close, closed, [refuse, { t: 'stop_instance', reason: 'shutdown' }]],
    ],
  },
  {
    state: { ...takenState, relaunch: true },
    rows: [
      [used, { ...stopping, reason: 'used', relaunch: true, crashes: 0 }, [{ t: 'stop_instance', reason: 'used' }]],
      [
        unhealthy,
        { ...stopping, reason: 'unhealthy', relaunch: true, crashes: 0 },
        [{ t: 'stop_instance', reason: 'unhealthy' }],
      ],
      [crashed, anew, [launch]],
      [crashedHealthy, anew, [launch]],
      [idle, { ...stopping, crashes: 0 }, [refuse, { t: 'stop_instance', reason: 'idle' }]],
      [stop, { ...stopping, reason: 'operator', crashes: 0 }, [refuse, { t: 'stop_instance', reason: 'operator' }]],
      [
        restart,
        { ...stopping, reason: 'operator', relaunch: true, crashes: 0 },
        [{ t: 'stop_instance', reason: 'operator' }],
      ],
      [close, closed, [refuse, { t: 'stop_instance', reason: 'shutdown' }]],
    ],
  },
  {
    state: stopping,
    rows: [
      [ensure, { ...stopping, relaunch: true }, []],
      [restart, { ...stopping, relaunch: true }, []],
      [stop, stopping, [refuse]],
      [idle, stopping, [refuse]],
      [stopped, { t: 'stopped', crashes: 1, failures: 0 }, []],
      [close, closed, [refuse]],
    ],
  },
  {
    state: { ...stopping, relaunch: true },
    rows: [
      [stop, stopping, [refuse]],
      [idle, stopping, [refuse]],
      [stopped, { t: 'starting', crashes: 1, failures: 0 }, [launch]],
      [close, closed, [refuse]],
    ],
  },
  {
    state: failed,
    rows: [
      [ensure, failed, [refuse]],
      [restart, anew, [launch]],
      [stop, fresh, []],
      [idle, fresh, []],
      [halfOpen, { t: 'stopped', crashes: 0, failures: 2 }, []],
      [close, closed, [refuse]],
    ],
  },
  { state: closed, rows: [[ensure, closed, [refuse]]] },
];

/** Feeds events one after the other; yields what each of them led to. */
function play(all: readonly UnitEvent[], from: UnitState = fresh): { state: UnitState; effects: UnitEffect[][] } {
  let state = from;
  const effects = all.map((event) => {
    const [next, done] = decide(state, event, policy);
    state = next;
    return done;
  });
  return { state, effects };
}

const delays = (effects: UnitEffect[][]) => effects.flat().flatMap((e) => (e.t === 'back_off' ? [e.delayMs] : []));

describe('decide', () => {
  for (const { state, rows, unlisted = [] } of tables) {
    const relaunch = 'relaunch' in state && state.relaunch ? ', to be launched again' : '';
    describe(`${state.t}${relaunch}`, () => {
      for (const event of events) {
        if (unlisted.includes(event)) continue;
        const [, next, effects] = rows.find(([each]) => each === event) ?? [event, state, []];
        const reason = 'reason' in event ? ` (${event.reason})` : '';
        it(`${event.t}${reason} -> ${next === state ? 'nothing' : next.t}`, () => {
          assert.deepEqual(decide(state, event, policy), [next, effects]);
        });
      }
    });
  }
});

describe('crashes', () => {
  it('relaunches at once after the first crash, then after a delay that doubles up to the maximum', () => {
    const cycle = [backoffElapsed, launched, crashed];
    const { state, effects } = play([ensure, launched, crashed, launched, crashed, ...Array(5).fill(cycle).flat()]);
    assert.deepEqual(effects[2], [launch]);
    assert.deepEqual(delays(effects), [100, 200, 400, 800, 1000, 1000]);
    assert.equal(state.t, 'backing_off');
  });

  it('begins to count anew after a healthy run', () => {
    const { state, effects } = play([
      ensure,
      launched,
      crashed,
      launched,
      crashed,
      backoffElapsed,
      launched,
      crashedHealthy,
    ]);
    assert.deepEqual(state, { t: 'starting', crashes: 1, failures: 0 });
    assert.deepEqual(effects.at(-1), [launch]);
  });

  it('backs off when the skill turns unhealthy after every launch', () => {
    const cycle = [launched, unhealthy, stopped];
    const { effects } = play([ensure, ...Array(5).fill(cycle).flat()]);
    assert.ok(delays(effects).length > 0, 'it was launched again and again without a delay');
  });

  it('replaces an unhealthy skill', () => {
    const { state, effects } = play([ensure, launched, unhealthy, stopped]);
    assert.deepEqual(effects[2], [{ t: 'stop_instance', reason: 'unhealthy' }]);
    assert.ok(state.t === 'starting' || state.t === 'backing_off');
  });
});

describe('circuit', () => {
  const open = [ensure, launchFailed, ensure, backoffElapsed, launchFailed, ensure, backoffElapsed, launchFailed];

  it('opens after failed launches in a row, each of them refused', () => {
    const { state, effects } = play(open);
    assert.deepEqual(state, failed);
    assert.deepEqual(delays(effects), [100, 200]);
    assert.deepEqual(effects.at(-1), [refuse, { t: 'open_circuit', delayMs: 15_000 }]);
    assert.equal(effects.flat().filter(({ t }) => t === 'refuse').length, 3);
  });

  it('half open, one more failure opens it again', () => {
    const { state, effects } = play([...open, halfOpen, ensure, launchFailed]);
    assert.deepEqual(effects.at(-2), [launch]);
    assert.deepEqual(state, failed);
  });

  it('half open, a launch that succeeds closes it', () => {
    const { state, effects } = play([...open, halfOpen, ensure, launched]);
    assert.deepEqual(state, { t: 'ready', crashes: 0 });
    assert.deepEqual(effects.at(-1), [grant]);
    assert.equal(play([idle, stopped, ensure, launchFailed], state).state.t, 'backing_off');
  });

  it('is closed by a restart', () => {
    const { state } = play([...open, restart, launchFailed]);
    assert.deepEqual(state, { t: 'backing_off', crashes: 0, failures: 1, relaunch: false });
  });

  it('opens at the first failure when one is the limit', () => {
    const strict = { ...policy, circuitFailures: 1 };
    assert.equal(decide(anew, launchFailed, strict)[0].t, 'failed');
    assert.equal(decide(anew, launchFailed, DEFAULT_BACKOFF)[0].t, 'backing_off');
  });
});

describe('stop', () => {
  it('while starting, the skill does not stay', () => {
    const { state, effects } = play([ensure, stop, launched]);
    const ended = effects.flat().some(({ t }) => t === 'stop_instance');
    assert.ok(ended && state.t !== 'ready', `the stop was lost: the skill is ${state.t}`);
  });

  it('while stopping, takes back that it is to be launched again', () => {
    const { state, effects } = play([ensure, launched, idle, ensure, stop, stopped]);
    assert.equal(state.t, 'stopped');
    assert.equal(effects.flat().filter(({ t }) => t === 'launch').length, 1);
  });
});

describe('a skill that is thrown away after one call', () => {
  it('is launched anew for who came while it was used, and never serves twice', () => {
    const { state, effects } = play([ensure, launched, taken, ensure, used, stopped, launched]);
    assert.deepEqual(effects, [[launch], [grant], [], [], [{ t: 'stop_instance', reason: 'used' }], [launch], [grant]]);
    assert.equal(state.t, 'ready');
  });

  it('is no crash loop, however often what it was used for ended it', () => {
    const { state, effects } = play([ensure, ...Array(10).fill([launched, taken, ensure, crashed]).flat()]);
    assert.deepEqual(delays(effects), []);
    assert.deepEqual(state, anew);
  });
});

describe('any sequence of events', () => {
  const anyEvent = fc.constantFrom(...events);

  it('never launches twice without an end between, and never after it was closed', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), (sequence) => {
        let state: UnitState = fresh;
        let mayRun = false;
        let wasClosed = false;
        for (const event of sequence) {
          if (event.t === 'exited' || event.t === 'stopped' || event.t === 'launch_failed') mayRun = false;
          const [next, effects] = decide(state, event, policy);
          for (const effect of effects) {
            if (effect.t !== 'launch') continue;
            assert.ok(!mayRun && !wasClosed, `${state.t} launched on ${event.t}`);
            mayRun = true;
          }
          wasClosed ||= event.t === 'close';
          assert.equal(next.t === 'closed', wasClosed);
          state = next;
        }
      }),
    );
  });

  it('never forgets who waits: a launch is under way or will follow, until they are granted or refused', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), (sequence) => {
        let state: UnitState = fresh;
        let waiting = false;
        for (const event of sequence) {
          const [next, effects] = decide(state, event, policy);
          if (event.t === 'ensure') waiting = true;
          if (effects.some(({ t }) => t === 'grant' || t === 'refuse')) waiting = false;
          const comes = next.t === 'starting' || ('relaunch' in next && next.relaunch);
          assert.ok(!waiting || comes, `${state.t} forgot a waiter on ${event.t}`);
          state = next;
        }
      }),
    );
  });
});
