package scenarios

import (
	"strconv"

	"gopkg.in/yaml.v3"

	"mbsim/machine/cost"
	"mbsim/machine/device"
)

// Timing is the time that work takes: on the CPUs, and on the device.
type Timing struct {
	Storage    string    // the kind of device: none, hdd, ssd or nvme
	Parameters []Setting // of the device, that differ from its defaults
	Costs      []Setting // of the CPUs' work, ns, likewise
}

// Setting is a named value.
type Setting struct {
	Name  string
	Value int64
}

// CostModel is the costs with the scenario's settings.
func (t *Timing) CostModel() (cost.Model, error) {
	m := cost.Default()
	for _, s := range t.Costs {
		if err := m.Set(s.Name, s.Value); err != nil {
			return m, err
		}
	}
	return m, nil
}

// DeviceModel is the device with the scenario's settings.
func (t *Timing) DeviceModel() (device.Model, error) {
	medium, err := device.FindMedium(t.Storage)
	if err != nil {
		return device.Model{}, err
	}
	m := device.Default(medium)
	for _, s := range t.Parameters {
		if err := m.Set(s.Name, s.Value); err != nil {
			return m, err
		}
	}
	// What the parameters are together is checked once all are set.
	return m, m.Check()
}

func timingKeys() *object {
	t := func(p any) *Timing { return p.(*Timing) }
	return &object{name: "timing", doc: "With it, work takes time, processes give way to each other at the kernel's lock points, and latencies and throughput are measured. Without it a system call takes 10 microseconds and nothing else takes time.",
		// Which names exist, and which values they take, the models know, and not the tables of
		// keys.
		check: func(d *decoder, n *yaml.Node, p any) error {
			if _, err := t(p).CostModel(); err != nil {
				return d.errorf(n, "costs: %v", err)
			}
			if _, err := t(p).DeviceModel(); err != nil {
				return d.errorf(n, "parameters: %v", err)
			}
			return nil
		},
		fields: []field{
			{key: "storage", typ: text{what: "kind of device", allowed: []string{"none", "hdd", "ssd", "nvme"}}, at: func(p any) any { return &t(p).Storage },
				def: "nvme", doc: "What the file system lies on; none does everything at once."},
			{key: "parameters", typ: settingsType{"parameters of the device"}, at: func(p any) any { return &t(p).Parameters },
				auto: "the device's own", doc: "Parameters of the device (see mbsim list devices)."},
			{key: "costs", typ: settingsType{"costs"}, at: func(p any) any { return &t(p).Costs },
				auto: "as measured", unit: "ns", doc: "What work takes on a CPU (see mbsim list costs)."},
		}}
}

// settingsType is a mapping of names to whole numbers, in the file's order.
type settingsType struct{ what string }

func (t settingsType) describe() string { return "a mapping of " + t.what + " to whole numbers" }

func (t settingsType) decode(d *decoder, n *yaml.Node, p any) error {
	if n.Kind != yaml.MappingNode {
		return d.wrong(n, t.describe())
	}
	var list []Setting
	for i := 0; i < len(n.Content); i += 2 {
		k := n.Content[i]
		for _, s := range list {
			if s.Name == k.Value {
				return d.errorf(k, "%s is given twice", k.Value)
			}
		}
		var v int64
		d.key = k.Value
		if err := (whole{max: 1 << 53}).decode(d, n.Content[i+1], &v); err != nil {
			return err
		}
		list = append(list, Setting{k.Value, v})
	}
	*p.(*[]Setting) = list
	return nil
}

func (settingsType) encode(p any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, s := range *p.(*[]Setting) {
		n.Content = append(n.Content, scalar("!!str", s.Name), scalar("!!int", strconv.FormatInt(s.Value, 10)))
	}
	if len(n.Content) == 0 {
		return nil
	}
	return n
}
