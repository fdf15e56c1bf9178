// Sliders for settings: logarithmic for rates, crowded near 1 for averaging factors.

const STEPS = 1000;
const LOW_LOG = { lr: -5, other: -10 };
const HIGH_LOG = { lr: 2, other: 4 };

export function scaleOf(setting) {
  if (setting.scale === "log") return logScale(setting);
  const unit = setting.low === 0 && setting.high === 1;
  return setting.scale === "logit" || (unit && setting.high_open) ? nearOne() : linear(setting);
}

function logScale(setting) {
  const kind = setting.name === "lr" ? "lr" : "other";
  const [low, high] = [LOW_LOG[kind], HIGH_LOG[kind]];
  const zero = setting.low === 0 && kind === "other"; // its left end is 0 itself
  return {
    toValue: (at) => (zero && at <= 0 ? 0 : tidy(10 ** (low + ((high - low) * at) / STEPS), 3)),
    toPlace: (v) => (v <= 0 ? 0 : Math.round((STEPS * (Math.log10(v) - low)) / (high - low))),
  };
}

// 0, ..., 0.9, ..., 0.99, ..., 0.999: equal ways between equal shares of 1 - value.
function nearOne() {
  const decades = 3.3;
  return {
    toValue: (at) => (at <= 0 ? 0 : tidyNearOne(1 - 10 ** ((-decades * at) / STEPS))),
    toPlace: (v) => Math.round((-STEPS * Math.log10(Math.max(1 - v, 1e-9))) / decades),
  };
}

function linear(setting) {
  const low = setting.low ?? 0;
  const high = setting.high ?? 1;
  return {
    toValue: (at) => tidy(low + ((high - low) * at) / STEPS, 3),
    toPlace: (v) => Math.round((STEPS * (v - low)) / (high - low)),
  };
}

const tidy = (value, digits) => Number(value.toPrecision(digits));

function tidyNearOne(value) {
  const digits = Math.max(2, Math.ceil(-Math.log10(1 - value)) + 1);
  return Number(value.toFixed(digits));
}

export const noiseScale = {
  toValue: (at) => (at <= 0 ? 0 : tidy(10 ** (-1.5 + (3.5 * at) / 100), 2)),
  toPlace: (v) => (v <= 0 ? 0 : Math.round((100 * (Math.log10(v) + 1.5)) / 3.5)),
};
