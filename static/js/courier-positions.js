// Where the truck is, for whoever waits for it: only while the route is under way, sparingly while it stands still.
const STILL_M = 30;
const MOVING_S = 15;
const STANDING_S = 60;
const SAVING_S = 120;
const SEND_S = 45;
const HIDDEN_S = 600;

const metres = (a, b) => {
	const rad = Math.PI / 180;
	const x = (b.lon - a.lon) * rad * Math.cos((a.lat + b.lat) / 2 * rad);
	return Math.hypot(x, (b.lat - a.lat) * rad) * 6371000;
};

/** Watch from now on; positions wait in the queue and go in batches. */
const watch = (person, queue) => {
	if (!navigator.geolocation) {
		return;
	}
	let last = null;
	let watching = null;
	let hiddenSince = null;
	let saving = false;
	const seen = ({ coords, timestamp }) => {
		const fix = {
			person, at: new Date(timestamp).toISOString(), lat: coords.latitude, lon: coords.longitude,
			accuracy_m: coords.accuracy, speed_mps: coords.speed ?? null,
		};
		const gone = last ? (Date.parse(fix.at) - Date.parse(last.at)) / 1000 : Infinity;
		const pause = saving ? SAVING_S : last && metres(last, fix) < STILL_M ? STANDING_S : MOVING_S;
		if (gone >= pause) {
			last = fix;
			queue.put("fixes", fix).catch(() => undefined);
		}
	};
	const start = () => {
		watching ??= navigator.geolocation.watchPosition(seen, stop, {
			enableHighAccuracy: !saving, maximumAge: 10000, timeout: 60000,
		});
	};
	const stop = error => {
		if (watching !== null && (!error || error.code === 1)) {  // 1: the driver does not allow it
			navigator.geolocation.clearWatch(watching);
			watching = null;
		}
	};
	navigator.getBattery?.().then(battery => {
		const look = () => {
			const low = !battery.charging && battery.level <= 0.2;
			if (low !== saving) {
				saving = low;
				stop();
				start();
			}
		};
		battery.addEventListener("levelchange", look);
		battery.addEventListener("chargingchange", look);
		look();
	}).catch(() => undefined);
	document.addEventListener("visibilitychange", () => {
		hiddenSince = document.hidden ? Date.now() : null;
		if (!document.hidden) {
			start();
		}
	});
	setInterval(() => {
		if (hiddenSince && Date.now() - hiddenSince > HIDDEN_S * 1000) {
			stop();
		}
		if (navigator.onLine) {
			queue.flushFixes(person);
		}
	}, SEND_S * 1000);
	start();
	queue.flushFixes(person);
};

window.courierPositions = { watch };
