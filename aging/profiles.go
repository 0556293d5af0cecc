package aging

// Bin is a value that was observed, or the upper bound of a range, and how often.
type Bin struct {
	Value  float64
	Weight float64
}

// Profile is what a study tells of the files of a kind of machine.
type Profile struct {
	Name string
	Doc  string // whose files
	// Source is where the numbers are from.
	Source string
	// Sizes are upper bounds in bytes: a file is anywhere between a bound and the one before. Where
	// there are none, sizes are lognormal, around Median with Sigma.
	Sizes         []Bin
	Median, Sigma float64
	// Ages are upper bounds in hours of the ages of the files that were there.
	Ages []Bin
	// FilesPerDirectory is their mean number, and Depth how deep directories nest.
	FilesPerDirectory float64
	Depth             int
}

// geriatrix is the collection that several profiles are taken from.
const geriatrix = "as tabulated with Geriatrix (S. Kadekodi et al., USENIX ATC 2018; github.com/saurabhkadekodi/geriatrix, profiles/"

// agrawalAges are the ages of files in the study of Agrawal and others, which stand in for those of earlier
// and later studies of the same company's computers.
var agrawalAges = []Bin{
	{10.74, 1}, {31, 2}, {85.98, 8}, {240, 20}, {687.87, 44}, {1945.59, 75}, {5502.98, 144}, {15768, 146}, {44023.9, 23}, {122640, 1},
}

// Profiles lists all profiles, the one to use where none is named first.
func Profiles() []*Profile {
	// Each gives sizes as a lognormal distribution, or as weights of bins, and ages always as weights.
	return []*Profile{
		{
			Name: "agrawal", Doc: "desktop computers of a large company, 2000 to 2004",
			Source: "sizes: lognormal body (mu 9.48, sigma 2.46) of N. Agrawal et al., Generating Realistic Impressions for File-System Benchmarking, FAST 2009, table 2, fitted to N. Agrawal et al., A Five-Year Study of File-System Metadata, FAST 2007, which has 10 files a directory in 2004; ages: of that study, " + geriatrix + "agrawal)",
			Median: 13095, Sigma: 2.46,
			Ages:              agrawalAges,
			FilesPerDirectory: 10, Depth: 7,
		},
		{
			Name: "douceur", Doc: "desktop computers of a large company, 1998",
			Source: "J. Douceur, W. Bolosky, A Large-Scale Study of File-System Contents, SIGMETRICS 1999, " + geriatrix + "douceur); ages and directories as in agrawal, the same company's later study",
			Sizes: powers([]float64{
				180, 0, 10, 15, 90, 25, 165, 380, 425, 620, 880, 1080, 1100, 1000, 1025, 920, 800, 575, 375, 200, 100, 75, 20, 10, 5,
			}),
			Ages:              agrawalAges,
			FilesPerDirectory: 10, Depth: 7,
		},
		{
			Name: "meyer", Doc: "desktop computers of a large company, 2009",
			Source: "D. Meyer, W. Bolosky, A Study of Practical Deduplication, FAST 2011, " + geriatrix + "meyer); ages and directories as in agrawal, the same company's earlier study",
			Sizes: powers([]float64{
				100, 20, 40, 30, 30, 100, 100, 170, 220, 400, 680, 1180, 1230, 1150, 1020, 900, 700, 680, 440, 300, 230, 175, 130, 100, 60, 40, 20, 10, 10,
			}),
			Ages:              agrawalAges,
			FilesPerDirectory: 10, Depth: 7,
		},
		{
			Name: "dabre", Doc: "one computer with very many small files and a few of gigabytes",
			Source: geriatrix[3:] + "dabre)",
			Sizes: []Bin{
				{1024, 125594}, {2048, 22133}, {4096, 22761}, {8192, 17448}, {16384, 16147}, {32768, 10026}, {65536, 5874}, {131072, 3311},
				{262144, 1833}, {524288, 1042}, {1048576, 614}, {2097152, 289}, {4194304, 157}, {8388608, 73}, {16777216, 45}, {33554432, 26},
				{67108864, 27}, {134217728, 5}, {268435456, 2}, {536870912, 2}, {1073741824, 1}, {2147483648, 4},
			},
			Ages: []Bin{
				{1, 2}, {32, 1907}, {64, 3}, {128, 4}, {256, 5541}, {512, 840}, {1024, 14392}, {2048, 18}, {4096, 23304}, {8192, 181403},
			},
			FilesPerDirectory: 4, Depth: 5,
		},
		{
			Name: "wang-os", Doc: "file servers of a research group on operating systems",
			Source: geriatrix[3:] + "wang_os), which has no directories: these are agrawal's",
			Sizes: []Bin{
				{0, 12}, {512, 8}, {1024, 9}, {2048, 12}, {4096, 18}, {8192, 12}, {16384, 10}, {32768, 9}, {65536, 5}, {131072, 1},
				{262144, 1}, {524288, 1}, {1048576, 1}, {2097152, 1}, {4194304, 1},
			},
			Ages:              []Bin{{16, 1}, {32, 1}, {64, 2}, {128, 3}, {256, 19}, {512, 30}, {1024, 28}, {2048, 12}, {4096, 1}, {8192, 1}},
			FilesPerDirectory: 10, Depth: 7,
		},
		{
			Name: "wang-lanl", Doc: "a parallel file system of a national laboratory: few small files",
			Source: geriatrix[3:] + "wang_lanl), which has all files in one directory",
			Sizes: []Bin{
				{32, 1}, {512, 1}, {2048, 1}, {4096, 1}, {32768, 1}, {65536, 1}, {131072, 47}, {262144, 20}, {524288, 10}, {1048576, 1}, {2097152, 1},
			},
			Ages:              []Bin{{2, 1}, {4, 1}, {8, 1}, {16, 1}, {32, 3}, {64, 35}, {128, 51}, {256, 42}, {512, 47}, {1024, 18}, {2048, 1}, {4096, 1}},
			FilesPerDirectory: 0, Depth: 1,
		},
	}
}

// powers are bins whose bounds are 0 and the powers of two from 1 on.
func powers(weights []float64) (bins []Bin) {
	bound := 0.0
	for i, w := range weights {
		bins = append(bins, Bin{bound, w})
		if i == 0 {
			bound = 1
		} else {
			bound *= 2
		}
	}
	return bins
}

// Names are the names of all profiles.
func Names() (names []string) {
	for _, p := range Profiles() {
		names = append(names, p.Name)
	}
	return names
}

// Find is the profile of a name.
func Find(name string) (*Profile, bool) {
	for _, p := range Profiles() {
		if p.Name == name {
			return p, true
		}
	}
	return nil, false
}
