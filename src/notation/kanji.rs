//! Old, new and private forms of the same kanji, as one table.
//!
//! A clerk writes 渡邊 as 渡辺, a mainframe writes 髙 as 高, and some pairs are one-to-many (辨, 瓣 and
//! 辯 all became 弁). So nothing is ever expanded: both sides of a comparison are folded to the first
//! form of their group. NFKC folds the compatibility ideographs before this table is asked.

use std::sync::LazyLock;

/// Groups of forms; the first is what the others fold to. Chiefly the character forms of Japan's
/// 1946 and 1981 reforms, and what surnames and place names keep beside them.
const GROUPS: &str = "\
亜亞 悪惡 圧壓 囲圍 医醫 為爲 壱壹 隠隱 栄榮 営營 衛衞 駅驛 円圓 塩鹽盬 縁緣 艶艷 \
応應 欧歐 殴毆 桜櫻 奥奧 横橫 温溫 穏穩 仮假 価價 画畫 会會 壊壞 懐懷 絵繪 概槪 拡擴 \
殻殼 覚覺 学學斈 岳嶽 楽樂 渇渴 缶罐 巻卷 陥陷 勧勸 寛寬 関關 歓歡 観觀 気氣 帰歸 \
亀龜 偽僞 戯戲 犠犧 旧舊 拠據 挙擧 虚虛 峡峽 挟挾 狭狹 郷鄕鄉 暁曉 区區 駆驅駈 勲勳 \
薫薰 径徑 恵惠 掲揭 渓溪 経經 蛍螢 軽輕 継繼 鶏鷄雞 芸藝 撃擊 欠缺 研硏 県縣 倹儉 \
剣劍劒劔 険險 圏圈 検檢 献獻 権權 顕顯 験驗 厳嚴 広廣 恒恆 黄黃 鉱鑛 号號 国國圀 黒黑 \
済濟 砕碎 斉齊斎齋齎 剤劑 雑雜 参參 桟棧 蚕蠶 惨慘 賛贊 残殘 糸絲 歯齒 児兒 辞辭 湿濕 \
実實 写寫 釈釋 寿壽 収收 従從 渋澁澀 獣獸 縦縱 粛肅 処處 緒緖 叙敍敘 将將 称稱 焼燒 \
証證 奨奬獎 条條 状狀 乗乘 浄淨 剰剩 畳疊疉 縄繩 壌壤 嬢孃 譲讓 醸釀 触觸 嘱囑 真眞 \
寝寢 慎愼 尽盡 図圖 粋粹 酔醉 穂穗 随隨 髄髓 枢樞 数數 瀬瀨 声聲 静靜 窃竊 摂攝 専專 \
浅淺 戦戰 践踐 銭錢 潜潛 繊纖 禅禪 双雙 壮壯 争爭 荘莊 捜搜 挿插 巣巢 曽曾 装裝 総總緫 \
騒騷 増增 蔵藏 臓臟 即卽 属屬 続續 堕墮 対對 体體軆躰 帯帶 滞滯 台臺 滝瀧 択擇 沢澤 \
単單 担擔 胆膽 団團 断斷 弾彈 遅遲 昼晝 虫蟲 鋳鑄 庁廳 徴徵 聴聽 勅敕 鎮鎭 逓遞 鉄鐵鉃鐡 \
点點 転轉 伝傳 灯燈 当當 党黨 盗盜 稲稻 闘鬪 徳德悳 独獨 読讀 届屆 弐貳 悩惱 脳腦 \
覇霸 廃廢 拝拜 売賣 麦麥 発發 髪髮 抜拔 蛮蠻 秘祕 浜濱濵 瓶甁 払拂 仏佛 併倂 並竝 \
変變 辺邊邉 弁辨瓣辯 舗舖 歩步 宝寶寳 豊豐 翻飜 毎每 万萬 満滿 黙默 弥彌 訳譯 薬藥 \
与與 予豫 余餘 誉譽 揺搖 様樣 謡謠 来來 頼賴 覧覽 乱亂 竜龍 両兩 猟獵 緑綠 涙淚 塁壘 \
礼禮 励勵 戻戾 霊靈 齢齡 暦曆 歴歷 恋戀 労勞 楼樓 録錄 湾灣 亘亙 尭堯 晋晉 凛凜 槙槇 \
萌萠 遥遙 瑶瑤 穣穰 禄祿 巌巖 桧檜 侠俠 桝枡 館舘 島嶋嶌 崎﨑嵜 高髙 吉𠮷 富冨 峰峯 \
柳栁桺 桑桒 鴎鷗 頬頰 剥剝 填塡 蝉蟬 蝋蠟 涛濤 祷禱 躯軀 麹麴 箪簞 繍繡 痩瘦 醤醬 \
掻搔 掴摑 騨驒 蒋蔣 諌諫 賎賤 溌潑 焔焰 莱萊 鬱欝 蛎蠣 彦彥 顔顏 産產 青靑 清淸 郎郞 \
戸戶 教敎 尚尙 内內 呉吳 説說 税稅 脱脫 悦悅 鋭銳 淵渕渊 昂昻 涼凉 穎頴 薮藪籔 篭籠 \
芦蘆 蕊蘂 靭靱 野埜 村邨 喜㐂 祢禰 皐皋 昇曻 柏栢 松枩 達逹 船舩 熙煕熈 秋穐龝 蓑簑 \
讃讚 迩邇 間閒 隣鄰 鶴靏靍 雁鴈 翠翆 園薗 珍珎 舎舍 協恊 庵菴 橋槗𣘺 宜冝 峨峩 歳歲 \
留畄畱 略畧 砺礪 恥耻 脈脉 蘇蘓 虎乕 裏裡 解觧 釜釡 鶯鴬 鼠鼡 鯵鰺 竃竈 麩麸 場塲 \
飲飮 穀糓 羮羹 檪櫟 杯盃 窓窗 群羣 毘毗 考攷 草艸 崖崕 餅餠 撹攪 炉爐 遡溯 鵞鵝 潅灌 \
荊荆 兎兔菟 鹸鹼 纒纏 磯礒 壺壷 聡聰 年秊 糾糺 梅楳 奇竒 篠筱 茎莖 岡崗 錬鍊 瑠璢 \
姉姊 姫姬 猫貓 鼓皷 畝畒畆 函凾 喩喻 囊嚢 婿壻聟 厩廐廏 晩晚 映暎 栃杤 柿柹 棋棊 煙烟 \
蓋盖葢 碍礙 窯窰 竪豎 箒帚 胸胷 莓苺 蔕蒂 蝿蠅 蟹蠏 贋贗 跡蹟迹 輌輛 鉢缽 鈎鉤 鎖鏁 \
鑑鑒 髯髥 麺麵 紙帋 旗籏 杉杦 土圡 爾尓尔 嵯嵳 巽巺 湧涌 燿耀 繋繫 迫廹 槍鎗 朗朖 \
修脩 儘侭 齧囓 游遊";

const FIRST: u32 = 0x3400;
const LAST: u32 = 0x9FFF;

/// What each ideograph of the basic plane folds to; 0 where it stays.
static BASIC: LazyLock<Box<[u16]>> = LazyLock::new(|| {
    let mut table = vec![0u16; (LAST - FIRST + 1) as usize].into_boxed_slice();
    for (variant, base) in pairs() {
        if let (Some(slot), Ok(base)) = (index(variant), u16::try_from(base as u32)) {
            table[slot] = base;
        }
    }
    table
});

fn index(c: char) -> Option<usize> {
    let code = c as u32;
    (FIRST..=LAST)
        .contains(&code)
        .then(|| (code - FIRST) as usize)
}

fn pairs() -> impl Iterator<Item = (char, char)> {
    GROUPS.split(' ').flat_map(|group| {
        let base = group.chars().next();
        group
            .chars()
            .skip(1)
            .filter_map(move |variant| Some((variant, base?)))
    })
}

/// The form that stands for `c` and all its variants.
#[inline]
pub(super) fn fold(c: char) -> char {
    match c {
        '﨑' => '崎',
        '𠮷' => '吉',
        '𣘺' => '橋',
        _ => match index(c).map(|slot| BASIC[slot]) {
            None | Some(0) => c,
            Some(base) => char::from_u32(u32::from(base)).unwrap_or(c),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn every_variant_folds_to_one_base_that_stays() {
        let mut seen = HashMap::new();
        for (variant, base) in pairs() {
            assert_ne!(variant, base, "{base} is listed as its own variant");
            assert_eq!(fold(variant), base);
            assert_eq!(fold(base), base, "{base} is a base and a variant");
            assert_eq!(
                seen.insert(variant, base),
                None,
                "{variant} is listed twice"
            );
        }
        assert!(seen.len() > 400);
    }
}
