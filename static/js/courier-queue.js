// The outbox of a courier's phone: taps in IndexedDB, sent in order. Used by the pages and by the service worker.
"use strict";
(() => {
	const asked = request => new Promise((done, failed) => {
		request.onsuccess = () => done(request.result);
		request.onerror = () => failed(request.error);
	});

	let opened;
	const base = () => opened ||= new Promise((done, failed) => {
		const request = indexedDB.open("courier", 1);
		request.onupgradeneeded = () => {
			for (const name of ["taps", "told", "fixes"]) {
				request.result.createObjectStore(name, { keyPath: "id", autoIncrement: true });
			}
			request.result.createObjectStore("meta");
		};
		request.onsuccess = () => {
			request.result.onversionchange = () => { request.result.close(); opened = null; };
			done(request.result);
		};
		request.onerror = () => { opened = null; failed(request.error); };
	});

	/** One action on one store; resolves when it is on the disk. */
	const on = async (store, act) => {
		const change = (await base()).transaction(store, "readwrite", { durability: "strict" });
		const finished = new Promise((done, failed) => {
			change.oncomplete = done;
			change.onerror = change.onabort = () => failed(change.error);
		});
		const result = await asked(act(change.objectStore(store)));
		await finished;
		return result;
	};
	const put = (store, value) => on(store, rows => rows.put(value));
	const all = store => on(store, rows => rows.getAll());
	const drop = (store, id) => on(store, rows => rows.delete(id));
	const setMeta = (name, value) => on("meta", rows => rows.put(value, name));
	const meta = name => on("meta", rows => rows.get(name));

	class NoSignal extends Error {}
	class SignIn extends Error {}
	class Other extends Error {}

	/** POST to our server. Its refusals are answers; only what another try may mend is thrown. */
	const send = async (path, body, seconds) => {
		const stop = new AbortController();
		const timer = setTimeout(() => stop.abort(), seconds * 1000);
		let answer;
		try {
			const json = !(body instanceof FormData);
			answer = await fetch(path, {
				method: "POST",
				body: json ? JSON.stringify(body) : body,
				headers: json ? { "Content-Type": "application/json" } : {},
				credentials: "same-origin",
				redirect: "manual",
				signal: stop.signal,
			});
			if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) {
				throw new SignIn();
			}
			if (answer.status >= 500 || answer.status === 429) {
				throw new NoSignal();
			}
			return [answer.status, await answer.json()];
		} catch (error) {
			throw error instanceof SignIn ? error : new NoSignal();
		} finally {
			clearTimeout(timer);
		}
	};

	const sendFile = async (tap, file) => {
		const form = new FormData();
		Object.entries({ person: tap.person, key: file.key, role: file.role, line: file.line || "", at: file.at })
			.forEach(([name, value]) => form.append(name, value));
		form.append("file", file.blob, file.name);
		const [status, said] = await send("/courier/outbox/photos", form, 90);
		if (said.code === "other_person") {
			throw new Other();
		}
		file.sent = status < 300;
		file.refused = status >= 300;
		if (file.sent) {
			delete file.blob;
		}
		await put("taps", tap);
	};

	/** A tap as the server takes it. */
	const action = ({ key, kind, stop, at, position, version, offline, payload, files }) => ({
		key, kind, stop, at, position, version, offline, payload,
		photos: files.filter(file => file.role !== "signature").map(file => file.key),
		signature: (files.find(file => file.role === "signature") || {}).key || null,
	});

	/** The server has answered a tap: it leaves the queue; what did not fit is shown until the driver has read it.
	    `direct`: the tap whose form is still open, if any: what is wrong with that is told in the form. */
	const settle = async (tap, said, direct) => {
		const failed = said.became === "conflict" || said.became === "refused";
		const inForm = said.became === "refused" && !tap.offline && direct.key === tap.key && !direct.left;
		if (failed ? !inForm : said.text) {
			await put("told", { person: tap.person, key: tap.key, kind: tap.kind, stop: tap.stop, place: tap.place, at: tap.at,
				text: said.text || "", now: said.now || "", failed, photos: tap.files.length });
		}
		await drop("taps", tap.id);
	};

	/** Without signal from here on: the server will know that nothing could be checked at the tap. */
	const markOffline = async taps => {
		for (const tap of taps.filter(one => !one.offline)) {
			tap.offline = true;
			await put("taps", tap);
		}
	};

	const sendAll = async (person, answers, direct) => {
		const own = async () => (await all("taps")).filter(tap => tap.person === person);
		let taps = await own();
		try {
			while (taps.length) {
				const ready = [];
				let broken = null;
				for (const tap of taps.slice(0, 20)) {
					try {
						for (const file of tap.files.filter(one => !one.sent && !one.refused)) {
							await sendFile(tap, file);
						}
						ready.push(tap);
					} catch (error) {
						broken = error;
						break;
					}
				}
				if (ready.length) {
					const [status, said] = await send("/courier/outbox", { person, actions: ready.map(action) }, 30);
					if (said.code === "other_person") {
						throw new Other();
					}
					if (status >= 300) {
						throw new NoSignal();
					}
					for (const one of said.actions) {
						answers.set(one.key, one);
						await settle(ready.find(tap => tap.key === one.key), one, direct);
					}
					if (said.actions.length < ready.length) {
						throw new NoSignal();
					}
				}
				if (broken) {
					throw broken;
				}
				taps = await own();
			}
			return "sent";
		} catch (error) {
			if (error instanceof NoSignal) {
				await markOffline(await own());
			}
			return error instanceof SignIn ? "signin" : error instanceof Other ? "other" : "waits";
		}
	};

	const alone = (name, act) => self.navigator.locks ? self.navigator.locks.request(name, act) : act();

	/** Send what waits of this person. `state`: sent, waits, signin, other; `answers`: by the key of the tap. */
	const flush = async (person, direct = {}) => {
		const answers = new Map();
		const state = await alone("courier-outbox", () => sendAll(person, answers, direct));
		return { state, answers };
	};

	/** Positions, oldest first; what the server took or refuses for good is forgotten. */
	const flushFixes = person => alone("courier-fixes", async () => {
		const fixes = (await all("fixes")).filter(fix => fix.person === person);
		for (let from = 0; from < fixes.length; from += 400) {
			const batch = fixes.slice(from, from + 400);
			const positions = batch.map(({ at, lat, lon, accuracy_m, speed_mps }) => ({ at, lat, lon, accuracy_m, speed_mps }));
			try {
				const [, said] = await send("/courier/outbox/positions", { person, positions }, 20);
				if (said.code === "other_person") {
					return;
				}
			} catch {
				return;
			}
			await on("fixes", rows => rows.delete(IDBKeyRange.bound(batch[0].id, batch[batch.length - 1].id)));
		}
	});

	const flushEverybody = async () => {
		const people = new Set((await all("taps")).map(tap => tap.person));
		for (const person of people) {
			await flush(person);
		}
		return (await all("taps")).length;
	};

	self.courierQueue = { put, all, drop, meta, setMeta, flush, flushFixes, flushEverybody };
})();
